/* SPDX-License-Identifier: GPL-2.0-only */
/* The capture kernel's command line. */
#ifndef LOCKDUMP_CMDLINE_H
#define LOCKDUMP_CMDLINE_H

#include <stdbool.h>

#include "base/error.h"

#define BOOT_ID_SIZE 40

/*
 * Makes the capture kernel's command line: those parameters of @running (/proc/cmdline) that say how to reach
 * the console and the hardware, then what a capture kernel needs, then the @boot_id of the kernel that may crash, which does not
 * stand in the initramfs so that this is the same in each boot. The caller frees @ret.
 */
struct error *cmdline_for_capture(const char *running, const char *boot_id, char **ret);

/* The capture kernel's: finds that boot ID in @line; false if there is none. */
bool cmdline_boot_id(const char *line, char ret[static BOOT_ID_SIZE]);

#endif
