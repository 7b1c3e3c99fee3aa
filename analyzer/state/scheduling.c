// SPDX-License-Identifier: GPL-2.0-only
#include "state/scheduling.h"

#include <string.h>

#define CLASS_SUFFIX "_sched_class"

void scheduling_resolve(const struct types *types, struct scheduling_layout *ret)
{
	const struct member_wanted wanted[] = {
		{ "task_struct", "on_rq", &ret->on_rq, true },
		/* Since 6.12 (152e11f6df29): asleep, but left on the run queue until its lag is paid off. */
		{ "task_struct", "se.sched_delayed", &ret->delayed, true },
		/* A throttled group's tasks: one by one since 6.18 (e1fad12dcb66), whole queues before. */
		{ "task_struct", "throttled", &ret->throttled, true },
		{ "task_struct", "se.cfs_rq", &ret->cfs_rq, true },
		{ "cfs_rq", "throttle_count", &ret->throttle_count, true },
		{ "task_struct", "policy", &ret->policy, true },
		{ "task_struct", "prio", &ret->priority, true },
		{ "task_struct", "sched_class", &ret->class, true },
		{ "task_struct", "sched_info.last_arrival", &ret->arrived, true },
		{ "task_struct", "sched_info.last_queued", &ret->queued, true },
		{ "task_struct", "se.exec_start", &ret->ran, true },
	};
	/* None of them is needed: it does not fail. */
	error_destroy(types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0])));
}

struct error *scheduling_read(struct memory *memory, const struct scheduling_layout *layout,
			      uint64_t task, struct scheduling *ret)
{
	uint64_t on_rq = 0, delayed = 0, throttled = 0, cfs_rq = 0, throttles = 0, policy = 0,
		 priority = 0;
	const struct {
		const struct member *member;
		uint64_t *ret;
	} fields[] = {
		{ &layout->on_rq, &on_rq },	      { &layout->delayed, &delayed },
		{ &layout->throttled, &throttled },   { &layout->cfs_rq, &cfs_rq },
		{ &layout->policy, &policy },	      { &layout->priority, &priority },
		{ &layout->class, &ret->class },      { &layout->arrived, &ret->arrived_ns },
		{ &layout->queued, &ret->queued_ns }, { &layout->ran, &ret->ran_ns },
	};

	*ret = (struct scheduling){};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct error *err = NULL;
		if (fields[i].member->size)
			err = member_read(memory, task, fields[i].member, fields[i].ret);
		if (err)
			return err;
	}
	ret->queued = on_rq && !delayed;
	ret->policy = policy;
	ret->priority = priority;
	/* Of the few that wait for a CPU only: sleeping tasks need not be asked. */
	if (ret->queued && cfs_rq && layout->throttle_count.size && !layout->throttled.size)
		error_destroy(member_read(memory, cfs_rq, &layout->throttle_count, &throttles));
	ret->throttled = ret->queued && (throttled || throttles);
	return NULL;
}

/*
 * A task that waits for a CPU: since sched_info.last_queued, where the kernel
 * counts that (CONFIG_SCHED_INFO). Else since it last ran: that the scheduler
 * accounts its time for the last time when it switches it out, and leaves the
 * time of that in se.exec_start, holds for all classes. sched_info.last_arrival
 * is when it came to run that last time, which is earlier; it counts where
 * exec_start was reset, as it is when a task moves to another CPU.
 */
uint64_t scheduling_wait_ns(const struct scheduling *scheduling, const struct clocks *clocks,
			    size_t cpu_index)
{
	if (scheduling->queued && scheduling->queued_ns)
		return clocks_since(clocks, scheduling->queued_ns);
	if (scheduling->ran_ns)
		return clocks_since_task_clock(clocks, cpu_index, scheduling->ran_ns);
	if (scheduling->arrived_ns)
		return clocks_since(clocks, scheduling->arrived_ns);
	return CLOCK_UNKNOWN;
}

const char *scheduling_class(struct kernel *kernel, const struct scheduling *scheduling)
{
	static const char *const classes[] = { "fair", "rt", "stop", "idle", "ext" };
	struct symbol symbol = { 0 };

	if (scheduling->class)
		symbol = symbols_lookup(&kernel->symbols, scheduling->class);
	if (!symbol.name || symbol.start != scheduling->class)
		return NULL;
	size_t len = strcspn(symbol.name, "_");
	if (strcmp(symbol.name + len, CLASS_SUFFIX))
		return NULL;
	if (len == 2 && !memcmp(symbol.name, "dl", len))
		return "deadline";
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i]) == len && !memcmp(symbol.name, classes[i], len))
			return classes[i];
	return NULL;
}

const char *scheduling_policy(const struct scheduling *scheduling)
{
	/* include/uapi/linux/sched.h; 4 was never taken. */
	static const char *const names[] = {
		"SCHED_NORMAL", "SCHED_FIFO", "SCHED_RR",	"SCHED_BATCH",
		NULL,		"SCHED_IDLE", "SCHED_DEADLINE", "SCHED_EXT",
	};
	return scheduling->policy < sizeof(names) / sizeof(names[0]) ? names[scheduling->policy]
								     : NULL;
}
