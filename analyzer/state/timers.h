/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a CPU is behind with its timers. */
#ifndef LOCKDUMP_TIMERS_H
#define LOCKDUMP_TIMERS_H

#include "state/clocks.h"

struct timers_layout {
	struct member next_expiry; /* of struct timer_base */
	uint32_t base_size;
	unsigned int nr_bases; /* whose timers must not be late */
	struct member expires_next, hres_active; /* of struct hrtimer_cpu_base */
};

/* Finds what timers_read() needs; where the kernel lacks it, that gives CLOCK_UNKNOWN. */
void timers_resolve(struct kernel *kernel, struct timers_layout *ret);

/* How long the first timer of @cpu's wheel, and its first high-resolution one, are overdue, in ns; 0: none is. */
void timers_read(struct kernel *kernel, const struct timers_layout *layout,
		 const struct clocks *clocks, const struct cpu *cpu, uint64_t *timer_late_ret,
		 uint64_t *hrtimer_late_ret);

#endif
