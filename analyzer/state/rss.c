// SPDX-License-Identifier: GPL-2.0-only
/*
 * mm_struct.rss_stat has a counter for each kind of page. Up to 6.1 they are
 * atomic, and a task counts up to 64 events in its own task_struct.rss_stat
 * before it adds them. Since 6.2 (f1a7941243c1) each is a percpu_counter: what
 * is in it and in its part on every online CPU add up; a CPU that goes offline
 * leaves nothing behind.
 */
#include "state/rss.h"

/* File, anonymous and shared memory pages: enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES }. */
static const unsigned int resident[] = { 0, 1, 3 };
#define NR_RESIDENT (sizeof(resident) / sizeof(resident[0]))

struct error *rss_resolve(const struct types *types, struct rss_layout *ret)
{
	const struct member_wanted wanted[] = {
		{ "mm_struct", "rss_stat.count.counter|rss_stat.count", &ret->first },
		{ "task_struct", "rss_stat.count", &ret->cached, true },
	};
	struct member array;

	/* The path went through an array: its stride is the size of an element. */
	if (types_member(types, "mm_struct", "rss_stat.count", &array) && array.count > 1) {
		ret->step = array.size;
		ret->per_cpu = (struct member){};
	} else {
		ret->counter = 0;
		ret->step = types_sizeof(types, "percpu_counter");
		types_member(types, "percpu_counter", "counters", &ret->per_cpu);
		if (types_member(types, "mm_struct", "rss_stat", &array))
			ret->counter = array.offset;
		else
			ret->per_cpu = (struct member){};
	}
	return types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static int64_t per_cpu_sum(struct kernel *kernel, const struct cpus *cpus, uint64_t counters)
{
	int64_t sum = 0;

	for (size_t i = 0; i < cpus->list.count; i++) {
		const struct cpu *cpu = &cpus->list.data[i];
		uint32_t part;
		if (!cpu->online)
			continue;
		struct error *err =
			memory_read_u32(&kernel->memory, counters + cpu->per_cpu, &part);
		if (!err)
			sum += (int32_t)part;
		error_destroy(err);
	}
	return sum;
}

uint64_t rss_read(struct kernel *kernel, const struct rss_layout *layout, const struct cpus *cpus,
		  uint64_t mm)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < NR_RESIDENT; i++) {
		uint64_t at = mm + resident[i] * layout->step, count, counters;
		struct error *err = member_read(&kernel->memory, at, &layout->first, &count);
		if (!err && layout->per_cpu.size) {
			err = member_read(&kernel->memory, at + layout->counter, &layout->per_cpu,
					  &counters);
			if (!err)
				count += per_cpu_sum(kernel, cpus, counters);
		}
		/* A counter may be below 0 for a moment. */
		if (!err && (int64_t)count > 0)
			ret += count;
		error_destroy(err);
	}
	return ret;
}

int64_t rss_cached(struct kernel *kernel, const struct rss_layout *layout, uint64_t task)
{
	int64_t ret = 0;

	if (layout->cached.size != sizeof(uint32_t))
		return 0;
	for (size_t i = 0; i < NR_RESIDENT; i++) {
		uint32_t count;
		struct error *err = memory_read_u32(
			&kernel->memory, task + layout->cached.offset + resident[i] * sizeof(count),
			&count);
		if (!err)
			ret += (int32_t)count;
		error_destroy(err);
	}
	return ret;
}
