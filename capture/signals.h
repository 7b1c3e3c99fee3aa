/* SPDX-License-Identifier: GPL-2.0-only */
/* The signals that end a watch cleanly: SIGTERM, SIGINT, and SIGHUP, when its terminal goes. */
#ifndef LOCKDUMP_SIGNALS_H
#define LOCKDUMP_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* They are to be blocked, and waited for. Not SIGHUP if it is ignored, as nohup(1) has it: once blocked it would come. */
void signals_of_end(sigset_t *ret);

bool signals_end(int signal);

#endif
