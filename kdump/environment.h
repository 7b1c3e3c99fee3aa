/* SPDX-License-Identifier: GPL-2.0-only */
/* What pid 1 of the capture kernel needs around it: mounts, a console, the store's disk; and the way out. */
#ifndef LOCKDUMP_ENVIRONMENT_H
#define LOCKDUMP_ENVIRONMENT_H

#include <limits.h>

#include "base/error.h"
#include "kdump/config.h"

/* /proc, /sys, /dev, /tmp, the console, umask. What fails is printed; there is nobody to tell. */
void environment_init(void);

/* One that cannot be loaded is printed. */
void environment_load_modules(const struct strings *files);

/*
 * Waits up to @device_s for the disk of @place and mounts it. An error, too, if the store is not there, or if there is a
 * symbolic link on the way to it: that was none when arm looked.
 */
struct error *environment_mount_store(const struct place *place, unsigned int device_s);

/* The store's path here. */
void environment_store_path(const struct place *place, char ret[static PATH_MAX]);

/* Whatever is mounted of @config's stores; synced in any case. */
struct error *environment_unmount_stores(const struct config *config);

/*
 * Restarts the machine; if the kernel does not within seconds, harder. @tick is called with @arg meanwhile, as run.h has it.
 * Does not return.
 */
void environment_reboot(void (*tick)(void *arg), void *arg) __attribute__((noreturn));

/* /proc/meminfo's MemAvailable; 0 if it cannot be read. */
unsigned long memory_available_kb(void);

#endif
