/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a few lines outlive a machine without kdump: the kernel's log, which goes to the console (serial, netconsole) and,
 * at a crash, to pstore; or the user's part of ramoops.
 */
#ifndef LOCKDUMP_OUTLET_H
#define LOCKDUMP_OUTLET_H

#include <stdbool.h>

#include "base/error.h"

enum outlet {
	OUTLET_NONE,
	OUTLET_CONSOLE, /* /dev/kmsg */
	OUTLET_PMSG, /* /dev/pmsg0 */
};

/* Of "console" or "pmsg"; OUTLET_NONE of any other word. */
enum outlet outlet_find(const char *word);

/* Whether it can be written, as far as that can be said before. */
struct error *outlet_check(enum outlet outlet, const char *root);

/*
 * Writes each line of @text, with "lockdump: " before it. Into the kernel's log they come with a level that reaches the
 * console. It takes ten lines in five seconds from who opened it (unless kernel.printk_devkmsg is "on"): @patient waits,
 * else the rest is left out; the next call has ten lines again. @root: where /dev and /proc are; "" but in tests.
 */
struct error *outlet_write(enum outlet outlet, const char *root, const char *text, bool patient);

#endif
