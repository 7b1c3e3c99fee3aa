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

struct span {
	__u64 since, until;
};

/* Before the slot's look is moved on: who finds that it was sees this too. */
static __always_inline void note_gap(struct record_slot *slot, __u64 before, __u64 now)
{
	if (!max_gap_ns || !before || now - before <= max_gap_ns)
		return;
	slot->gap_since_ns = before;
	slot->gap_until_ns = now;
	barrier();
}

/* Narrows @span, in which this CPU was not looked at, to where no other was. False if too little is left of it. */
static __always_inline bool is_pause(struct span *span)
{
	__u32 self = bpf_get_smp_processor_id();

	if (!max_gap_ns)
		return false;
	for (__u32 cpu = 0; cpu < 2 * RECORD_NR_NEIGHBOURS; cpu++) {
		const struct record_slot *slot = cpu < nr_cpus && cpu != self ? slot_of(cpu) : NULL;
		if (!slot || last_look(slot) <= span->since)
			continue;
		if (slot->gap_until_ns <= span->since)
			return false;
		if (slot->gap_since_ns > span->since)
			span->since = slot->gap_since_ns;
		if (slot->gap_until_ns < span->until)
			span->until = slot->gap_until_ns;
	}
	return span->until > span->since && span->until - span->since > max_gap_ns;
}

/* Its time does not count, neither for the stall nor for what is wrong in it. */
static __always_inline void pause_stall(struct record_slot *slot, const struct span *span)
{
	struct record_condition *resched = &slot->conditions[RECORD_KIND_NEED_RESCHED];
	struct record_event *event;

	slot->paused_ns += span->until - span->since;
	if (resched->since_ns)
		resched->since_ns += span->until - span->since;
	event = event_begin(slot, RECORD_EVENT_PAUSE, span->until);
	event->since_ns = span->since;
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
	struct span span = { BPF_CORE_READ(watchdog, _softexpires), now };

	if (span.since < now && now - span.since > max_gap_ns && is_pause(&span))
		slot->resumed_ns = now;
}

#endif
