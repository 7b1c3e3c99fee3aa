/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that are to end the program, kept waiting until it has put away what it must not leave behind. */
#ifndef LOCKDUMP_INTERRUPTS_H
#define LOCKDUMP_INTERRUPTS_H

#include <signal.h>

struct interrupts {
	sigset_t before; /* the signals that were blocked already */
	int fd; /* readable as soon as one has come; below 0: none is kept waiting */
};

/* Blocks them, but not those that are ignored. Without a descriptor for it they end the program at once, as ever. */
void interrupts_hold(struct interrupts *interrupts);

/* Lets them come: the one that has come ends the program. */
void interrupts_release(struct interrupts *interrupts);

#endif
