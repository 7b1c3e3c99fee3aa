/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel modules: which ones a driver needs, in which order, and loading them. */
#ifndef LOCKDUMP_DRIVER_MODULES_H
#define LOCKDUMP_DRIVER_MODULES_H

#include <stddef.h>

#include "base/error.h"
#include "kdump/strings.h"

struct driver_module {
	char *name;
	char *file; /* where it is now */
	struct strings needs; /* modules that must be loaded before it */
};

/* Modules and all that they need, of one kernel release. */
struct driver_modules {
	struct driver_module *items;
	size_t count;
};

/*
 * Resolves @wanted (module names, which must be there, or modaliases, which may have none) and all that they depend on,
 * soft dependencies included (ext4 asks for crc32c so, and the capture kernel
 * has no modprobe). What is built into the kernel is left out. The set is in
 * load order.
 */
struct error *driver_modules_resolve(const char *release, const struct strings *wanted,
				     struct driver_modules *ret);

/*
 * Puts every module behind those that it needs; otherwise keeps the order.
 * Needs that are not in the set are ignored, and so is a cycle (of soft dependencies).
 */
struct error *driver_modules_sort(struct driver_modules *set);

void driver_modules_deinit(struct driver_modules *set);

/* Loads the module in @file. One that is loaded already is no error. */
struct error *driver_module_load(const char *file);

#endif
