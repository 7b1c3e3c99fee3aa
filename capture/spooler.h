/* SPDX-License-Identifier: GPL-2.0-only */
/* The spooler: brings stalls past the threshold to the store and, if asked, to stdout. */
#ifndef LOCKDUMP_SPOOLER_H
#define LOCKDUMP_SPOOLER_H

#include "capture/shared.h"

/* The process's whole life, from the fork on; returns its exit status. Its signals are blocked by the caller. */
int spooler_run(const struct watch *watch);

/* The signals that the spooler waits for. */
#define SPOOLER_WAKE SIGUSR1

#endif
