/* SPDX-License-Identifier: GPL-2.0-only */
/* The crash kernel: what the running kernel has reserved for it, loading it, unloading it. */
#ifndef LOCKDUMP_KEXEC_H
#define LOCKDUMP_KEXEC_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * The memory that crashkernel= has set aside, low part included. An error with the remedy if there is none. @root is ""
 * but in tests.
 */
struct error *kexec_reserved_kb(const char *root, unsigned long *ret);

/*
 * Loads @kernel for a panic; @ret names the system call that did it. What was loaded before may be gone after a failure, too.
 * @root is "" but in tests.
 */
struct error *kexec_load_crash(const char *root, const char *kernel, const char *initramfs,
			       const char *cmdline, const char **ret);
struct error *kexec_unload_crash(void);

/* True if a crash kernel is loaded. */
bool kexec_crash_loaded(const char *root);

/* The release ("6.1.0-13-cloud-amd64") of the kernel image @file. */
struct error *kexec_image_release(const char *file, char ret[static 72]);

#endif
