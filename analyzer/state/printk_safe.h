/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUs wanted to log and could not (up to 5.14). */
#ifndef LOCKDUMP_PRINTK_SAFE_H
#define LOCKDUMP_PRINTK_SAFE_H

#include "state/cpus.h"
#include "state/dmesg.h"

/* Adds it to the end of the log, with the time of its last line, for that is the least that it can be. */
void printk_safe_read(struct dmesg *dmesg, struct kernel *kernel, const struct cpus *cpus);

#endif
