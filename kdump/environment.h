/* SPDX-License-Identifier: GPL-2.0-only */
/* What pid 1 of the capture kernel needs around it: mounts, a console, the store's disk; and the way out. */
#ifndef LOCKDUMP_ENVIRONMENT_H
#define LOCKDUMP_ENVIRONMENT_H

#include <limits.h>

#include "base/error.h"
#include "kdump/config.h"

/* /proc, /sys, /dev, /tmp, the console, umask. What fails is printed; there is nobody to tell. */
void environment_init(void);

/* Loads the modules, waits for the disk, mounts it; @ret is the store's path here. */
struct error *environment_mount_store(const struct config *config, char ret[static PATH_MAX]);
struct error *environment_unmount_store(void);

/* Restarts the machine; if the kernel does not within seconds, harder. Does not return. */
void environment_reboot(void) __attribute__((noreturn));

/* /proc/meminfo's MemAvailable; 0 if it cannot be read. */
unsigned long memory_available_kb(void);

#endif
