/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine that does not run: a virtual one that gets no time, or is stopped. Its clock may go on meanwhile, and then
 * all CPUs are looked at again at nearly the same time, in no order: who looks may find that another one has been
 * looked at already. So each CPU notes when it was last not looked at for long, and what these times have in common is
 * the pause.
 */
#ifndef LOCKDUMP_PAUSE_H
#define LOCKDUMP_PAUSE_H

#include "bpf/neighbours.h"

/*
 * Looks that are further apart than this say nothing of what was between them: the tick was stopped, interrupts
 * were off, or the whole machine was not running. No stall begins over such a gap: the time before it does not
 * count. One that is on already goes on over it; but the time in which no other CPU was looked at either is not the
 * stall's. 0: any distance is normal.
 */
const volatile __u64 max_gap_ns = 0;

/* Idle CPUs are looked at by the watchdog, each 4 s (2/5 of kernel.watchdog_thresh): what is longer is no rest. */
#define IDLE_GAP_NS 5000000000ull

/* Before the slot's look is moved on: who finds that it was sees this too. */
static __always_inline void note_gap(struct record_slot *slot, __u64 before, __u64 now)
{
	if (!max_gap_ns || !before || now - before <= max_gap_ns)
		return;
	slot->gap_since_ns = before;
	slot->gap_until_ns = now;
	barrier();
}

/*
 * How long nothing ran of the time from @since to @until, in which this CPU was not looked at; 0: it is too little to be
 * a pause. When that was is in the slot then. A global function, which the verifier follows once and not from each place
 * that calls it; and what it narrows is in the slot, not in registers, of which it would follow each combination.
 */
__attribute__((noinline)) __u64 find_pause(__u64 since, __u64 until)
{
	__u32 self = bpf_get_smp_processor_id();
	struct record_slot *slot = slot_of(self);

	if (!slot || !max_gap_ns || until <= since || until - since <= max_gap_ns)
		return 0;
	slot->pause_since_ns = since;
	slot->pause_until_ns = until;
	for (__u32 cpu = 0; cpu < 2 * RECORD_NR_NEIGHBOURS; cpu++) {
		const struct record_slot *other =
			cpu < nr_cpus && cpu != self ? slot_of(cpu) : NULL;
		__u64 from, to = until;

		barrier();
		if (!other)
			continue;
		/* It is away since its last look, or was before: what took longer. */
		from = last_look(other);
		if (other->gap_until_ns > since &&
		    (from >= until || other->gap_until_ns - other->gap_since_ns > until - from)) {
			from = other->gap_since_ns;
			to = other->gap_until_ns;
		}
		if (from > slot->pause_since_ns)
			slot->pause_since_ns = from;
		if (to < slot->pause_until_ns)
			slot->pause_until_ns = to;
	}
	barrier();
	since = slot->pause_since_ns;
	until = slot->pause_until_ns;
	return until > since && until - since > max_gap_ns ? until - since : 0;
}

/* A pause's time does not count, neither for the stall nor for what is wrong in it. */
static __always_inline void pause_stall(struct record_slot *slot, __u64 before, __u64 now)
{
	struct record_condition *resched = &slot->conditions[RECORD_KIND_NEED_RESCHED];
	__u64 paused_ns = find_pause(before, now);
	struct record_event *event;

	if (!paused_ns)
		return;
	slot->paused_ns += paused_ns;
	if (resched->since_ns)
		resched->since_ns += paused_ns;
	event = event_begin(slot, RECORD_EVENT_PAUSE, slot->pause_until_ns);
	event->since_ns = slot->pause_since_ns;
	event->cpu = -1;
	event->pid = 0;
	__builtin_memset(event->comm, 0, sizeof(event->comm));
	event->words[0] = event->words[1] = 0;
	event_end(event);
}

/*
 * What the others did not do in a pause is no fault of theirs. That the machine was paused, and this CPU not just idle,
 * is known by the watchdog's timer, which comes late; in a pause that is shorter than its period it may be on time.
 */
static __always_inline void note_pause(struct record_slot *slot, const struct hrtimer *watchdog,
				       __u64 now)
{
	if (find_pause(BPF_CORE_READ(watchdog, _softexpires), now))
		slot->resumed_ns = now;
}

#endif
