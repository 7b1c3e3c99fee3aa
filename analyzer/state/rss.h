/* SPDX-License-Identifier: GPL-2.0-only */
/* The resident memory of a process. */
#ifndef LOCKDUMP_RSS_H
#define LOCKDUMP_RSS_H

#include "state/cpus.h"

struct rss_layout {
	struct member first; /* the first counter of mm_struct.rss_stat */
	uint32_t step; /* bytes from one counter to the next */
	uint32_t counter; /* offset of the first counter's struct in mm_struct */
	struct member per_cpu; /* percpu_counter.counters, where the counters are such */
	struct member cached; /* task_struct.rss_stat */
};

struct error *rss_resolve(const struct types *types, struct rss_layout *ret);

/* Pages that the mm_struct at @mm has resident. What cannot be read counts as none. */
uint64_t rss_read(struct kernel *kernel, const struct rss_layout *layout, const struct cpus *cpus,
		  uint64_t mm);

/* Pages that the task has counted, but not in its mm yet; may be below 0. */
int64_t rss_cached(struct kernel *kernel, const struct rss_layout *layout, uint64_t task);

#endif
