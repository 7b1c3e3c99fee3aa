/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to gather when a CPU stalls, and how each of it is read. */
#ifndef LOCKDUMP_SOURCES_H
#define LOCKDUMP_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "capture/sink.h"

enum source_flags {
	/* Of each stalled CPU's task; its file is PID.NAME. */
	SOURCE_TASK = 1 << 0,
	/* Once more when the stall is over: counters, whose difference is what went on, and the log. */
	SOURCE_AGAIN = 1 << 1,
	/*
	 * To read it takes locks that others take with interrupts off. Who reads it while such a lock's holder is
	 * stuck spins with interrupts off himself, and costs another CPU, for good. A CPU that takes interrupts holds
	 * none of them.
	 */
	SOURCE_IRQ_LOCKS = 1 << 2,
};

/* Where to read, and of whom. */
struct scope {
	const char *root; /* "", or a folder in its place */
	uint32_t pid; /* of SOURCE_TASK */
};

struct source {
	const char *name; /* of the file */
	const char *path; /* what it is depends on read() */
	/* Reads into @sink. Returns 0 or errno; what was put before an error is worth keeping. */
	int (*read)(const struct source *source, const struct scope *scope, struct sink *sink);
	unsigned int flags;
	size_t most; /* bytes; 0: the default */
	unsigned int limit_s; /* 0: the default */
};

/* In the order in which they are gathered: what says most and hangs least comes first. */
extern const struct source sources[];
extern const size_t nr_sources;

#endif
