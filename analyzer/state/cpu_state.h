/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CPU had on its hands besides its task: who waits for it, what it owes, where its time went. */
#ifndef LOCKDUMP_CPU_STATE_H
#define LOCKDUMP_CPU_STATE_H

#include "state/tasks.h"

/* enum cpu_usage_stat: include/linux/kernel_stat.h. New ones came behind these. */
enum cpu_time {
	CPU_TIME_USER,
	CPU_TIME_NICE,
	CPU_TIME_SYSTEM,
	CPU_TIME_SOFTIRQ,
	CPU_TIME_IRQ,
	CPU_TIME_IDLE,
	CPU_TIME_IOWAIT,
	CPU_TIME_STEAL,
	CPU_TIME_GUEST,
	CPU_TIME_GUEST_NICE,
	NR_CPU_TIMES
};

/* Times are in ns. CLOCK_UNKNOWN, and a has_... that is false: not known. */
struct cpu_state {
	/* On its run queue; in the order in which they may run. */
	VECTOR(const struct task *) waiting;
	uint64_t running_ns; /* how long its task, which is not idle, has been on it */
	/* How long it has not scheduled, though it should have; CLOCK_UNKNOWN: it is not stuck. */
	uint64_t stuck_ns;

	bool has_need_resched, need_resched; /* its task was told to give way */
	bool need_resched_lazy; /* ... when it returns to user mode */
	bool has_preempt_count;
	uint32_t preempt_count; /* of the code that ran, without PREEMPT_NEED_RESCHED */
	bool has_softirqs;
	uint32_t softirqs; /* pending ones, by bit: cpu_softirq_name() */
	bool has_times;
	uint64_t times[NR_CPU_TIMES];

	/* How long ago the kernel's watchdog saw the CPU schedule, and began the period after which it reports. */
	uint64_t watchdog_scheduled_ns, watchdog_report_ns;
	/* How long the first timer of the wheel, and the first high-resolution one, are overdue; 0: none is. */
	uint64_t timer_late_ns, hrtimer_late_ns;
	/* It panicked, and not in an NMI: since then its interrupts are off, however slow the console is. */
	bool panicked;
	bool holds_up_rcu; /* the grace period waits for it */
};

/* One of which nothing is known. */
extern const struct cpu_state cpu_state_unknown;

struct cpu_states {
	VECTOR(struct cpu_state) list; /* one for each of cpus->list */
	uint64_t watchdog_thresh_s; /* kernel.watchdog_thresh; 0: off; CLOCK_UNKNOWN */
	/* How long RCU's current grace period has lasted; CLOCK_UNKNOWN: there is none. */
	uint64_t grace_period_ns;
};

/* @tasks must live as long as the states. */
void cpu_states_init(struct cpu_states *states, struct kernel *kernel, const struct cpus *cpus,
		     const struct tasks *tasks, const struct clocks *clocks);
void cpu_states_deinit(struct cpu_states *states);

/*
 * How long the CPU has taken no interrupts, though its task is not idle: as long as its timers are overdue, that
 * of the tick among them. CLOCK_UNKNOWN: it takes them, or took them up to its panic.
 */
uint64_t cpu_state_deaf_ns(const struct cpu_state *state);

/* "user", "nice", ... */
const char *cpu_time_name(enum cpu_time time);

/* "HI", "TIMER", ...; NULL if there is no such softirq. */
const char *cpu_softirq_name(unsigned int bit);

/* The parts of a preempt count: include/linux/preempt.h. */
struct preempt_parts {
	unsigned int preempt, softirq, hardirq, nmi;
};

struct preempt_parts cpu_preempt_parts(uint32_t preempt_count);

#endif
