/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log out of a dump. */
#ifndef LOCKDUMP_DMESG_H
#define LOCKDUMP_DMESG_H

#include <stdio.h>

#include "state/kernel.h"

/* Writes the log as dmesg(1) prints it: "[    1.234567] text", a line each. */
struct error *dmesg_print(struct kernel *kernel, FILE *out);

#endif
