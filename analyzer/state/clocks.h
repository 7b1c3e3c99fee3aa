/* SPDX-License-Identifier: GPL-2.0-only */
/* What time it was at the crash, on the clocks that the kernel's time stamps are taken from. */
#ifndef LOCKDUMP_CLOCKS_H
#define LOCKDUMP_CLOCKS_H

#include "state/cpus.h"
#include "state/dmesg.h"

#define CLOCK_UNKNOWN UINT64_MAX
#define SECOND_NS     1000000000ull

/* A run queue's clocks, as of when it was last looked after; CLOCK_UNKNOWN, both or none. */
struct run_queue_clock {
	uint64_t ns; /* sched_clock() */
	/* The same without interrupts and stolen time; se.exec_start is of this clock. */
	uint64_t task_ns;
};

struct clocks {
	VECTOR(struct run_queue_clock) run_queues; /* one for each of cpus->list */
	uint64_t now_ns; /* sched_clock() at the crash: run queues, printk, the watchdog */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC at the crash */
	uint64_t boottime_ns; /* CLOCK_BOOTTIME */
	uint64_t jiffies;
	uint64_t jiffy_ns; /* how long one is */
};

/* Reads the clocks; what cannot be had is CLOCK_UNKNOWN. */
void clocks_init(struct clocks *clocks, struct kernel *kernel, const struct cpus *cpus,
		 const struct dmesg *dmesg);
void clocks_deinit(struct clocks *clocks);

/* How long before the crash it was @then on sched_clock(): 0 if it is later, CLOCK_UNKNOWN if unknown. */
uint64_t clocks_since(const struct clocks *clocks, uint64_t then_ns);

/* The same for @then on the task clock of the run queue of the CPU that is cpus->list.data[index]. */
uint64_t clocks_since_task_clock(const struct clocks *clocks, size_t index, uint64_t then_ns);

/* How long before the crash @jiffies was. */
uint64_t clocks_since_jiffies(const struct clocks *clocks, uint64_t jiffies);

#endif
