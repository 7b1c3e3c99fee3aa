/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sentry: sees stalls, wakes the spooler, pulls the trigger. It must get through when most of the machine
 * does not, so it is real-time, locked in memory, and after its start calls nothing that waits for other CPUs:
 * no mmap, munmap, fork or bpf(2), whose inter-processor interrupts a deaf CPU never answers.
 */
#ifndef LOCKDUMP_SENTRY_H
#define LOCKDUMP_SENTRY_H

#include "capture/shared.h"

/* The process's whole life once the spooler, its child, was forked; returns the verb's exit status. */
int sentry_run(const struct watch *watch, int spooler);

/* Real-time and locked in memory. */
struct error *sentry_settle(void);

#endif
