/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else can be wrong with a CPU or the machine, looked for once a second: bpf/record.h lists it. A CPU that
 * had no round for long was idle, or nothing ran: what it saw before says nothing then.
 */
#ifndef LOCKDUMP_CONDITIONS_H
#define LOCKDUMP_CONDITIONS_H

#include "bpf/cpu.h"
#include "bpf/slot.h"

#define ROUND_NS	1000000000ull
#define STALE_NS	(2 * ROUND_NS + ROUND_NS / 2) /* rounds that are further apart do not count */
#define STORM_PERCENT	90
#define RCU_SEQ_STATE	3 /* kernel/rcu/rcu.h: 0 where no grace period is on */
#define CPUTIME_SOFTIRQ 3
#define CPUTIME_IRQ	4

/* How long each must last until it is an event. */
const volatile __u64 condition_after_ns[RECORD_NR_KINDS] = {};
const volatile __u64 rcu_state_at = 0; /* out of /proc/kallsyms; no BTF has it */

static __always_inline void condition_event(struct record_slot *slot, __u32 event_kind, __u32 kind,
					    __u64 now)
{
	struct record_condition *condition = &slot->conditions[kind];
	struct record_event *event = event_begin(slot, event_kind, now);

	event->since_ns = condition->since_ns;
	event->cpu = bpf_get_smp_processor_id();
	event->pid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->words[0] = kind;
	event->words[1] = condition->words[0];
	event_end(event);
}

/* It is so now, and has been since @since at least. */
static __always_inline void condition_see(struct record_slot *slot, __u32 kind, __u64 since,
					  __u64 now, __u64 word0, __u64 word1)
{
	struct record_condition *condition = &slot->conditions[kind];
	__u64 before = condition->last_ns;

	condition->words[0] = word0;
	condition->words[1] = word1;
	if (!condition->since_ns) {
		condition->since_ns = since;
		return;
	}
	condition->last_ns = now;
	if (now - condition->since_ns >= condition_after_ns[kind] &&
	    (!before || before - condition->since_ns < condition_after_ns[kind]))
		condition_event(slot, RECORD_EVENT_CONDITION, kind, now);
}

static __always_inline void condition_end(struct record_slot *slot, __u32 kind, __u64 now)
{
	struct record_condition *condition = &slot->conditions[kind];

	if (!condition->since_ns)
		return;
	if (condition->last_ns &&
	    condition->last_ns - condition->since_ns >= condition_after_ns[kind])
		condition_event(slot, RECORD_EVENT_CONDITION_END, kind, now);
	condition->last_ns = 0;
	barrier();
	condition->since_ns = 0;
}

static __always_inline void look_at_storm(struct record_slot *slot, __u32 kind, __u64 spent,
					  __u64 count, __u64 now)
{
	__u64 span = now - slot->round_ns;
	__u64 percent = spent * 100 / span;

	if (percent >= STORM_PERCENT)
		condition_see(slot, kind, slot->round_ns, now, percent, count * ROUND_NS / span);
	else
		condition_end(slot, kind, now);
}

static __always_inline void look_for_storms(struct record_slot *slot, bool fresh, __u64 now)
{
	const struct kernel_cpustat *times = THIS_CPU(kernel_cpustat, kernel_cpustat_at);
	const struct kernel_stat *counts = THIS_CPU(kstat, kstat_at);
	__u64 irq_ns, softirq_ns, nr_irqs, nr_softirqs = 0;

	if (!times || !counts)
		return;
	irq_ns = BPF_CORE_READ(times, cpustat[CPUTIME_IRQ]);
	softirq_ns = BPF_CORE_READ(times, cpustat[CPUTIME_SOFTIRQ]);
	nr_irqs = BPF_CORE_READ(counts, irqs_sum);
	for (int i = 0; i < RECORD_NR_SOFTIRQS; i++)
		nr_softirqs += BPF_CORE_READ(counts, softirqs[i]);
	if (fresh) {
		look_at_storm(slot, RECORD_KIND_IRQ_STORM, irq_ns - slot->irq_ns,
			      nr_irqs - slot->nr_irqs, now);
		look_at_storm(slot, RECORD_KIND_SOFTIRQ_STORM, softirq_ns - slot->softirq_ns,
			      nr_softirqs - slot->nr_softirqs, now);
	}
	slot->irq_ns = irq_ns;
	slot->softirq_ns = softirq_ns;
	slot->nr_irqs = nr_irqs;
	slot->nr_softirqs = nr_softirqs;
}

/* When the pool last got on, in jiffies; renamed in 7.0. */
static __always_inline __u64 pool_progress(const struct worker_pool *pool)
{
	if (bpf_core_field_exists(((struct worker_pool___progress *)pool)->last_progress_ts))
		return BPF_CORE_READ((struct worker_pool___progress *)pool, last_progress_ts);
	if (bpf_core_field_exists(((struct worker_pool___watchdog *)pool)->watchdog_ts))
		return BPF_CORE_READ((struct worker_pool___watchdog *)pool, watchdog_ts);
	return 0;
}

/* The pools of works that are bound to this CPU: the usual one and the one of high priority. */
static __always_inline void look_at_pools(struct record_slot *slot, bool fresh, __u64 now)
{
	const char *pools = THIS_CPU(cpu_worker_pools, cpu_worker_pools_at);
	__u64 stalled = 0, which = 0;

	if (!pools)
		return;
	for (int i = 0; i < 2; i++) {
		const struct worker_pool *pool =
			(const void *)(pools + i * bpf_core_type_size(struct worker_pool));
		__u64 progress = pool_progress(pool);
		if (progress && progress == slot->pool_progress[i] &&
		    BPF_CORE_READ(pool, worklist.next) != &pool->worklist) {
			stalled = (__u64)pool;
			which = i;
		}
		slot->pool_progress[i] = progress;
	}
	if (fresh && stalled)
		condition_see(slot, RECORD_KIND_WORKQUEUE_STALL, slot->round_ns, now, stalled,
			      which);
	else
		condition_end(slot, RECORD_KIND_WORKQUEUE_STALL, now);
}

static __always_inline void look_at_rcu(struct record_slot *slot, bool fresh, __u64 now)
{
	__u64 sequence;

	if (!rcu_state_at)
		return;
	sequence = BPF_CORE_READ((const struct rcu_state *)rcu_state_at, gp_seq);
	if (fresh && (sequence & RCU_SEQ_STATE) && sequence == slot->rcu_sequence)
		condition_see(slot, RECORD_KIND_RCU_STALL, slot->round_ns, now, sequence, 0);
	else
		condition_end(slot, RECORD_KIND_RCU_STALL, now);
	slot->rcu_sequence = sequence;
}

/*
 * The kernel's own detector found @task, and will again while it hangs, in passes over all tasks. A condition begins
 * anew with a pass that begins with another task.
 */
static __always_inline void note_hung_task(struct record_slot *slot, struct task_struct *task,
					   __u64 now)
{
	struct record_condition *condition = &slot->conditions[RECORD_KIND_HUNG_TASK];
	struct record_event *event = event_begin(slot, RECORD_EVENT_CONDITION, now);

	if (now - condition->last_ns > ROUND_NS && condition->words[0] != (__u64)task) {
		condition->words[0] = (__u64)task;
		condition->words[1] = BPF_CORE_READ(task, pid);
		condition->since_ns = now;
	}
	condition->last_ns = now;
	event->since_ns = now;
	event->cpu = -1;
	event->pid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_INTO(&event->comm, task, comm);
	event->words[0] = RECORD_KIND_HUNG_TASK;
	event->words[1] = (__u64)task;
	event_end(event);
}

static __always_inline void look_for_conditions(struct record_slot *slot, __u64 now)
{
	bool fresh = slot->round_ns && now - slot->round_ns < STALE_NS;

	look_for_storms(slot, fresh, now);
	look_at_pools(slot, fresh, now);
	look_at_rcu(slot, fresh, now);
}

#endif
