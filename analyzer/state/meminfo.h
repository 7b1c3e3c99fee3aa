/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine's memory, as /proc/meminfo counts it. */
#ifndef LOCKDUMP_MEMINFO_H
#define LOCKDUMP_MEMINFO_H

#include "state/kernel.h"

#define MEMINFO_UNKNOWN UINT64_MAX

/* In pages. */
struct meminfo {
	uint64_t total, free;
	uint64_t available; /* what could be had without swapping, by the kernel's own estimate */
	uint64_t slab, slab_reclaimable; /* the second is part of the first */
	uint64_t anon, file, shared, dirty, writeback;
	uint64_t swap_total, swap_free;
};

void meminfo_init(struct meminfo *meminfo, struct kernel *kernel);

#endif
