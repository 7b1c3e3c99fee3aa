/* SPDX-License-Identifier: GPL-2.0-only */
/* The words in which a CPU counts for itself: preemption, softirqs, its time; and the flag to reschedule. */
#ifndef LOCKDUMP_CPU_COUNTERS_H
#define LOCKDUMP_CPU_COUNTERS_H

#include "state/cpu_state.h"

struct cpu_counters_layout {
	/* Per-CPU variables: addresses of CPU 0's offset 0; 0: this kernel has none. */
	uint64_t preempt_count, softirq_pending, times;
	uint32_t softirq_size;
	struct member task_preempt_count; /* where the count is the task's */
	struct member flags; /* task_struct.thread_info.flags */
	uint32_t crashing_cpu; /* that stopped the others */
	int need_resched_bit, lazy_bit; /* of them; -1: unknown, or none */
};

void cpu_counters_resolve(struct kernel *kernel, struct cpu_counters_layout *ret);

/* Fills in the state of @cpu. What cannot be read stays unknown. */
void cpu_counters_read(struct kernel *kernel, const struct cpu_counters_layout *layout,
		       const struct cpu *cpu, struct cpu_state *state);

#endif
