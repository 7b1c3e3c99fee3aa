/* SPDX-License-Identifier: GPL-2.0-only */
/* The hits of --probe as text, while they come. */
#ifndef LOCKDUMP_HITS_H
#define LOCKDUMP_HITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/vector.h"
#include "capture/recorder.h"
#include "symbols/ksyms.h"

/* Between two looks the ring of a CPU takes RECORD_NR_HITS. */
#define HITS_INTERVAL_NS 100000000ULL
#define HITS_MAX_CALLERS 256 /* whose names are kept: to find one takes all of /proc/kallsyms */

struct hit {
	uint32_t cpu;
	struct record_hit hit; /* its comm is clean text */
};

struct hits {
	const struct recorder *recorder; /* NULL: none are wanted */
	const char *kallsyms;
	uint64_t *seen; /* per CPU: the last one that was looked at */
	uint64_t lost; /* not told yet */
	uint64_t lost_ns; /* when that was told last */
	bool titled;
	VECTOR(struct hit) list; /* of one look */
	struct ksym callers
		[HITS_MAX_CALLERS]; /* by pc: the call, one byte before where it returns to */
	size_t nr_callers;
};

/* Those from @since_ns on. @kallsyms is a file in the form of /proc/kallsyms; without it, callers have no names. */
struct error *hits_init(const struct recorder *recorder, uint64_t since_ns, const char *kallsyms,
			struct hits *ret);
void hits_deinit(struct hits *hits);

/*
 * Prints to @out, in the order of their times, those of all CPUs that have come since the last look. Of those that the
 * ring did not keep so long, stderr has the number, at most once a second; and, if it is the @last look, at once.
 */
struct error *hits_print(struct hits *hits, bool last, FILE *out);

#endif
