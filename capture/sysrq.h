/* SPDX-License-Identifier: GPL-2.0-only */
/* The trigger that a user process pulls: 'c' to /proc/sysrq-trigger. */
#ifndef LOCKDUMP_SYSRQ_H
#define LOCKDUMP_SYSRQ_H

#include "capture/cause.h"
#include "capture/shared.h"

/*
 * Crashes the machine because of @cause: writes the reason into the record, has @spooler (a pid; 0: there is
 * none) store it, makes sure that it still goes on, and fires. Returns only if the machine lives on: 0
 * if it had ended, else -1 with errno of the write, 0 if that succeeded. Allocates, maps and forks nothing.
 */
int sysrq_fire(const struct watch *watch, const struct cause *cause, int spooler);

/* Why the machine lives on, of that errno. */
const char *sysrq_failure(int error);

#endif
