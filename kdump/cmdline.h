/* SPDX-License-Identifier: GPL-2.0-only */
/* The capture kernel's command line. */
#ifndef LOCKDUMP_CMDLINE_H
#define LOCKDUMP_CMDLINE_H

#include "base/error.h"

/*
 * Makes the capture kernel's command line: those parameters of @running (/proc/cmdline) that say how to reach
 * the console and the hardware, then what a capture kernel needs. The caller frees @ret.
 */
struct error *cmdline_for_capture(const char *running, char **ret);

#endif
