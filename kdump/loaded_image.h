/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is loaded as crash kernel: the running kernel says that there is one, but not whose. Its memory does: the
 * initramfs is in it as it was given to kexec, at the start of a page.
 */
#ifndef LOCKDUMP_LOADED_IMAGE_H
#define LOCKDUMP_LOADED_IMAGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "kdump/digest.h"

/*
 * Finds where the file @fd is in the memory that is reserved for the crash kernel, through /proc/kcore under @root.
 * ERROR_NOT_FOUND if it is not there; another error if that memory cannot be read.
 */
struct error *loaded_image_find(const char *root, int fd, uint64_t *ret);

/* The SHA-256 of @size bytes of physical memory from @address on. */
struct error *loaded_image_digest(const char *root, uint64_t address, off_t size,
				  char ret[static SHA256_HEX_SIZE]);

#endif
