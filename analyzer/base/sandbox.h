/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump may be hostile, and the analysis has faults that nobody knows yet. So it runs in a child that can read what
 * it was given and write to what is open already, and nothing else: no other files, no network, no programs.
 */
#ifndef LOCKDUMP_SANDBOX_H
#define LOCKDUMP_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/interrupts.h"

struct sandbox {
	const char *
		name; /* of what is analyzed, for the errors of a child that could not say anything; or NULL */
	const char *const *
		readable; /* files, and folders with all in them; NULLs among them are passed over */
	size_t nr_readable;
	const struct interrupts
		*interrupts; /* those that are kept waiting: one ends the child; or NULL */
	size_t most_s; /* of CPU time; 0: as much as it takes */
	size_t most_bytes; /* of memory; 0: the same */
	bool off; /* just a child: for debuggers, and for who must reach the network */
};

/*
 * Runs @function in such a child, and gives its error, or one that says how it died. What it writes to a FILE it
 * must flush. Kernels that lack a means of confinement (Landlock came with 5.13) confine as far as they can.
 */
struct error *sandbox_run(const struct sandbox *sandbox, struct error *(*function)(void *arg),
			  void *arg);

/* For libraries that do not say that there is no memory: ends the child, and the error is that it took too much. */
void sandbox_no_memory(void) __attribute__((noreturn));

#endif
