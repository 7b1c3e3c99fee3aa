// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wheel: per-CPU timer_bases[], kernel/time/timer.c. The last of them has
 * the deferrable timers, which may be as late as they like while the CPU idles;
 * before it are one (BASE_STD), or since 6.9 two, local and
 * global timers. Nothing says how many there are but the variable's size.
 *
 * High-resolution timers: per-CPU hrtimer_bases, whose expires_next is when the
 * first of all its clocks is due, on CLOCK_MONOTONIC. On a CPU whose clock
 * cannot do that (hres_active) the tick looks after them, and expires_next only
 * ever gets smaller: __hrtimer_reprogram(), hrtimer_run_queues().
 */
#include "state/timers.h"

#define MAX_BASES 3

void timers_resolve(struct kernel *kernel, struct timers_layout *ret)
{
	const struct types *types = kernel->symbols.types;
	uint64_t bases = kernel->symbols.at[KSYM_timer_bases];

	types_member(types, "timer_base", "next_expiry", &ret->next_expiry);
	types_member(types, "hrtimer_cpu_base", "expires_next", &ret->expires_next);
	types_member(types, "hrtimer_cpu_base", "hres_active", &ret->hres_active);
	ret->base_size = types_sizeof(types, "timer_base");
	ret->nr_bases = 0;
	if (!bases || !ret->base_size)
		return;
	uint64_t count = symbols_lookup(&kernel->symbols, bases).size / ret->base_size;
	if (count > MAX_BASES)
		count = MAX_BASES;
	ret->nr_bases = count > 1 ? count - 1 : 1;
}

static uint64_t timer_late(struct kernel *kernel, const struct timers_layout *layout,
			   const struct clocks *clocks, const struct cpu *cpu)
{
	uint64_t ret = CLOCK_UNKNOWN;

	if (!layout->next_expiry.size)
		return ret;
	for (unsigned int i = 0; i < layout->nr_bases; i++) {
		uint64_t base =
			kernel->symbols.at[KSYM_timer_bases] + cpu->per_cpu + i * layout->base_size;
		uint64_t next, late = CLOCK_UNKNOWN;
		struct error *err = member_read(&kernel->memory, base, &layout->next_expiry, &next);
		if (!err)
			late = clocks_since_jiffies(clocks, next);
		error_destroy(err);
		if (late != CLOCK_UNKNOWN && (ret == CLOCK_UNKNOWN || late > ret))
			ret = late;
	}
	return ret;
}

static uint64_t hrtimer_late(struct kernel *kernel, const struct timers_layout *layout,
			     const struct clocks *clocks, const struct cpu *cpu)
{
	uint64_t bases = kernel->symbols.at[KSYM_hrtimer_bases], next, active = 1;

	if (!bases || !layout->expires_next.size || clocks->monotonic_ns == CLOCK_UNKNOWN)
		return CLOCK_UNKNOWN;
	struct error *err =
		member_read(&kernel->memory, bases + cpu->per_cpu, &layout->expires_next, &next);
	if (!err && layout->hres_active.size)
		err = member_read(&kernel->memory, bases + cpu->per_cpu, &layout->hres_active,
				  &active);
	if (err || !active) {
		error_destroy(err);
		return CLOCK_UNKNOWN;
	}
	/* KTIME_MAX: there is none. */
	return next < clocks->monotonic_ns ? clocks->monotonic_ns - next : 0;
}

void timers_read(struct kernel *kernel, const struct timers_layout *layout,
		 const struct clocks *clocks, const struct cpu *cpu, uint64_t *timer_late_ret,
		 uint64_t *hrtimer_late_ret)
{
	*timer_late_ret = timer_late(kernel, layout, clocks, cpu);
	*hrtimer_late_ret = hrtimer_late(kernel, layout, clocks, cpu);
}
