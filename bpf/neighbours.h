/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CPU sees of the others: whether those that come after it take interrupts, and what they ran when a stall
 * began here.
 *
 * A CPU that takes no interrupts does not serve its timers: the next one is overdue. That is so of idle CPUs and of
 * those without a tick (nohz_full) too, which else look just like it. Who finds its neighbour so looks at the next
 * one as well. (Without high-resolution timers nothing is seen: the kernel writes down when one comes sooner, but not
 * when it has come, so that it would look overdue ever after; see hrtimer_reprogram() in kernel/time/hrtimer.c.)
 */
#ifndef LOCKDUMP_NEIGHBOURS_H
#define LOCKDUMP_NEIGHBOURS_H

#include "bpf/cpu.h"
#include "bpf/slot.h"

#define DEAF_NS	  1000000000ull
#define KTIME_MAX 0x7fffffffffffffffll
#define NR_SKIPPED \
	16 /* CPUs in a row that are not online, before the search begins anew at CPU 0 */

const volatile __u32 nr_cpus = 1; /* that are present, the highest number and 1 */

static __always_inline bool is_online(__u32 cpu)
{
	const struct rq *rq = THAT_CPU(runqueues, runqueues_at, cpu);

	if (!rq)
		return false;
	return !bpf_core_field_exists(rq->online) || BPF_CORE_READ(rq, online);
}

/* The next CPU that is online; @cpu itself if there is none. */
static __always_inline __u32 next_online(__u32 cpu)
{
	__u32 next = cpu;

	for (int i = 0; i < 2 * NR_SKIPPED; i++) {
		if (++next >= nr_cpus || i == NR_SKIPPED)
			next = 0;
		if (next == cpu || is_online(next))
			return next;
	}
	return cpu;
}

static __always_inline bool runs_timers(const struct hrtimer_cpu_base *base)
{
	if (bpf_core_field_exists(((struct hrtimer_cpu_base___bit *)base)->in_hrtirq))
		return BPF_CORE_READ_BITFIELD_PROBED((struct hrtimer_cpu_base___bit *)base,
						     in_hrtirq);
	if (bpf_core_field_exists(((struct hrtimer_cpu_base___bool *)base)->deferred_rearm))
		return BPF_CORE_READ((struct hrtimer_cpu_base___bool *)base, deferred_rearm);
	return false;
}

static __always_inline bool is_high_res(const struct hrtimer_cpu_base *base)
{
	return BPF_CORE_READ_BITFIELD_PROBED((struct hrtimer_cpu_base___bit *)base, hres_active);
}

static __always_inline __u64 last_look(const struct record_slot *slot)
{
	return slot->last_tick_ns > slot->watchdog_ns ? slot->last_tick_ns : slot->watchdog_ns;
}

/*
 * Since when @cpu should have served a timer and has not; 0: all is well with it. From @resumed_ns on, which may be less
 * than DEAF_NS ago: before that nothing ran, the timer may have become due meanwhile.
 */
static __always_inline __u64 overdue_since(__u32 cpu, __u64 resumed_ns, __u64 now)
{
	const struct hrtimer_cpu_base *base = THAT_CPU(hrtimer_bases, hrtimer_bases_at, cpu);
	__u64 due;

	if (!base || !is_high_res(base))
		return 0;
	if (runs_timers(base)) { /* then there is no next one; the tick is a timer too */
		const struct record_slot *slot = slot_of(cpu);
		due = slot ? last_look(slot) : 0;
	} else {
		due = BPF_CORE_READ(base, expires_next);
	}
	if (!due || due >= KTIME_MAX || now <= due + DEAF_NS)
		return 0;
	return due < resumed_ns ? resumed_ns : due;
}

static __always_inline void deaf_event(struct record_slot *slot, const struct record_deaf *deaf,
				       __u32 kind, __u64 now)
{
	struct record_event *event = event_begin(slot, kind, now);

	event->since_ns = deaf->since_ns;
	event->cpu = deaf->cpu;
	event->pid = deaf->pid;
	__builtin_memcpy(event->comm, deaf->comm, sizeof(event->comm));
	event->words[0] = deaf->task;
	event->words[1] = 0;
	event_end(event);
}

/*
 * When @cpu, deaf since @since and last seen so at @last, took interrupts again. Its own looks say it best: at the end of
 * the gap that this was; at the latest when another one, which came since, began. A global function, which the verifier
 * follows once and not from each place that calls it.
 */
__attribute__((noinline)) __u64 heard_at(__u32 cpu, __u64 since, __u64 last, __u64 now)
{
	const struct record_slot *slot = slot_of(cpu);
	__u64 heard;

	if (!slot)
		return now;
	heard = slot->gap_since_ns > since ? slot->gap_since_ns : slot->gap_until_ns;
	return heard > last && heard < now ? heard : now;
}

static __always_inline void deaf_end(struct record_slot *slot, struct record_deaf *deaf, __u64 now)
{
	if (deaf->last_ns)
		deaf_event(slot, deaf, RECORD_EVENT_DEAF_END,
			   heard_at(deaf->cpu, deaf->since_ns, deaf->last_ns, now));
	deaf->last_ns = 0;
	barrier();
	deaf->since_ns = 0;
}

static __always_inline void deaf_begin(struct record_deaf *deaf, __u32 cpu, __u64 since)
{
	const struct rq *rq = THAT_CPU(runqueues, runqueues_at, cpu);
	struct task_struct *task = rq ? BPF_CORE_READ(rq, curr) : NULL;

	deaf->last_ns = 0;
	barrier();
	deaf->cpu = cpu;
	deaf->task = (__u64)task;
	deaf->pid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_INTO(&deaf->comm, task, comm);
	deaf->since_ns = since;
}

/* The machine was paused until @since, amid this deafness: what came before does not count. */
static __always_inline void deaf_go_on(struct record_deaf *deaf, __u64 since, __u64 now)
{
	bool sure = deaf->last_ns;

	deaf->last_ns = 0;
	barrier();
	deaf->since_ns = since;
	barrier();
	if (sure)
		deaf->last_ns = now;
}

/* True if @cpu is deaf for sure: this is the second look that finds the same timer overdue. */
static __always_inline bool look_at_neighbour(struct record_slot *slot, struct record_deaf *deaf,
					      __u32 cpu, __u64 now)
{
	__u64 since = overdue_since(cpu, slot->resumed_ns, now);

	if (since && since == slot->resumed_ns && deaf->cpu == cpu && deaf->since_ns &&
	    deaf->since_ns < since) {
		deaf_go_on(deaf, since, now);
		return deaf->last_ns;
	}
	if (since && now <= since + DEAF_NS)
		return false;
	if (since && deaf->since_ns == since && deaf->cpu == cpu) {
		bool first = !deaf->last_ns;
		deaf->last_ns = now;
		if (first)
			deaf_event(slot, deaf, RECORD_EVENT_DEAF, now);
		return true;
	}
	deaf_end(slot, deaf, now);
	if (since)
		deaf_begin(deaf, cpu, since);
	return false;
}

static __always_inline void look_at_neighbours(struct record_slot *slot, __u64 now)
{
	__u32 self = bpf_get_smp_processor_id(), cpu = self;
	bool go_on = true;

	for (int i = 0; i < RECORD_NR_DEAF; i++) {
		struct record_deaf *deaf = &slot->deaf[i];
		if (go_on) {
			cpu = next_online(cpu);
			go_on = cpu != self && look_at_neighbour(slot, deaf, cpu, now);
		} else if (deaf->since_ns) {
			deaf_end(slot, deaf, now);
		}
	}
}

static __always_inline void read_neighbour(struct record_neighbour *neighbour, __u32 cpu)
{
	const struct rq *rq = THAT_CPU(runqueues, runqueues_at, cpu);
	const struct record_slot *slot = slot_of(cpu);
	struct task_struct *task = rq ? BPF_CORE_READ(rq, curr) : NULL;

	neighbour->cpu = cpu;
	neighbour->online = is_online(cpu);
	neighbour->task = (__u64)task;
	neighbour->pid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_INTO(&neighbour->comm, task, comm);
	neighbour->nr_running = rq ? BPF_CORE_READ(rq, nr_running) : 0;
	neighbour->nr_switches = rq ? BPF_CORE_READ(rq, nr_switches) : 0;
	neighbour->tick_ns = slot ? last_look(slot) : 0;
}

/* All others, or on a large machine the nearest on both sides. */
static __always_inline void read_neighbours(struct record_slot *slot)
{
	__u32 self = bpf_get_smp_processor_id();

	for (__u32 i = 0; i < RECORD_NR_NEIGHBOURS; i++) {
		__u32 distance = nr_cpus > RECORD_NR_NEIGHBOURS && i >= RECORD_NR_NEIGHBOURS / 2
					 ? nr_cpus - (i - RECORD_NR_NEIGHBOURS / 2 + 1)
					 : i + 1;
		struct record_neighbour *neighbour = &slot->neighbours[i];
		__u32 cpu = self + distance;
		if (cpu >= nr_cpus)
			cpu -= nr_cpus;
		if (distance < nr_cpus && cpu < nr_cpus)
			read_neighbour(neighbour, cpu);
		else
			neighbour->online = 0;
	}
}

#endif
