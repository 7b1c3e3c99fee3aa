/* SPDX-License-Identifier: GPL-2.0-only */
/* What the scheduler knows of a task: whether it waits for a CPU, and since when it has not run. */
#ifndef LOCKDUMP_SCHEDULING_H
#define LOCKDUMP_SCHEDULING_H

#include "state/clocks.h"

struct scheduling {
	bool queued; /* on its CPU's run queue: it runs, or waits to */
	bool throttled; /* queued, but its group has used up its CPU time */
	uint8_t policy; /* SCHED_FIFO, ...: <sched.h> */
	int16_t priority; /* task_struct.prio: nice -20..19 is 100..139, what is real time is below */
	uint64_t class; /* address of its sched_class */
	/* Time stamps; 0: never. */
	uint64_t arrived_ns; /* when it last got a CPU: sched_clock() */
	uint64_t queued_ns; /* since when it waits for one: sched_clock() */
	uint64_t ran_ns; /* when it was last seen running: the task clock of its CPU's run queue */
};

struct scheduling_layout {
	struct member on_rq, delayed, throttled, cfs_rq, throttle_count;
	struct member policy, priority, class, arrived, queued, ran;
};

/* Finds the members; a kernel may lack any of them. */
void scheduling_resolve(const struct types *types, struct scheduling_layout *ret);

/* Reads those of the task_struct at @task. */
struct error *scheduling_read(struct memory *memory, const struct scheduling_layout *layout,
			      uint64_t task, struct scheduling *ret);

/*
 * How long a task that is not running has not run, and so has waited or slept, in ns; CLOCK_UNKNOWN if it cannot
 * be told. @cpu_index: its CPU in cpus->list.
 */
uint64_t scheduling_wait_ns(const struct scheduling *scheduling, const struct clocks *clocks,
			    size_t cpu_index);

/* "fair", "rt", "deadline", "stop", "idle", "ext", by the name of its sched_class; NULL if that is not known. */
const char *scheduling_class(struct kernel *kernel, const struct scheduling *scheduling);

/* "SCHED_FIFO", ... */
const char *scheduling_policy(const struct scheduling *scheduling);

#endif
