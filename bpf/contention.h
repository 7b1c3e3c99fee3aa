/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The locks that this CPU spins for (the tracepoints lock:contention_begin and _end, since 5.19). Each context has
 * its own: an interrupt may spin while the task that it interrupted does. Who waits asleep is not noted: it is no
 * CPU's. Nor is a mutex: who spins for one stops when another wants the CPU, so no lockup comes of it; and a busy
 * machine has thousands of them a second, more than all other locks.
 *
 * A stack takes longer than all else in the recorder: of a CPU's time only one part in STACK_SHARE goes to them.
 */
#ifndef LOCKDUMP_CONTENTION_H
#define LOCKDUMP_CONTENTION_H

#include "bpf/cpu.h"
#include "bpf/slot.h"

/* Else these programs are not loaded: a recorder that is taken over is told by it from one that does the same. */
const volatile bool notes_locks = true;

/* include/trace/events/lock.h */
#define LCB_F_SPIN	   1
#define LCB_F_MUTEX	   32
#define STACK_SHARE	   4096
#define STACK_PAUSE_MAX_NS 1000000000ull
#define LOCK_SLACK_NS \
	20000000ull /* a stall's onset is the last look that saw none: a tick or two early or late */

/* include/linux/preempt.h: 0xff preemption, 0x100 a softirq is served, hardirqs, NMIs. */
static __always_inline __u32 context_of(__u32 preempt_count)
{
	if (preempt_count & 0xf00000)
		return 3;
	if (preempt_count & 0xf0000)
		return 2;
	return preempt_count & 0x100 ? 1 : 0;
}

static __always_inline struct record_contention *contention_here(struct record_slot *slot)
{
	__u32 count = raw_preempt_count();

	return &slot->locks[count == RECORD_UNKNOWN_U32 ? 0 : context_of(count)];
}

static __always_inline void read_lock_stack(void *ctx, struct record_slot *slot,
					    struct record_contention *contention, __u64 now)
{
	long size = bpf_get_stack(ctx, contention->stack, sizeof(contention->stack), 0);
	__u64 pause = (bpf_ktime_get_ns() - now) * STACK_SHARE;

	contention->nr_stack = size > 0 ? size / sizeof(contention->stack[0]) : 0;
	contention->stack_ns = now;
	/* The time may be that of an interrupt, or of a machine that was paused. */
	slot->lock_stack_next_ns = now + (pause < STACK_PAUSE_MAX_NS ? pause : STACK_PAUSE_MAX_NS);
}

static __always_inline void contention_begins(void *ctx, __u64 lock, __u32 flags)
{
	struct record_contention *contention;
	struct record_slot *slot;
	__u64 now;

	if (flags & LCB_F_MUTEX)
		return;
	slot = slot_of(bpf_get_smp_processor_id());
	if (!slot)
		return;
	contention = contention_here(slot);
	contention->lock = 0;
	if (!(flags & LCB_F_SPIN))
		return;
	barrier();
	now = bpf_ktime_get_ns();
	contention->since_ns = now;
	contention->flags = flags;
	contention->pid = bpf_get_current_pid_tgid();
	if (now >= slot->lock_stack_next_ns)
		read_lock_stack(ctx, slot, contention, now);
	barrier();
	contention->lock = lock;
}

/* In whichever context. */
static __always_inline bool is_noted(const struct record_slot *slot, __u64 lock)
{
	for (int i = 0; i < RECORD_NR_CONTEXTS; i++)
		if (slot->locks[i].lock == lock)
			return true;
	return false;
}

/* Mostly that of one that was not noted. */
static __always_inline void contention_ends(__u64 lock)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	struct record_contention *contention;

	if (!slot || !is_noted(slot, lock))
		return;
	contention = contention_here(slot);
	if (contention->lock == lock)
		contention->lock = 0;
}

/* Of the contexts that a tick can interrupt, the innermost that spins for a lock in this stall. */
static __always_inline void read_contention(struct record_sample *sample,
					    const struct record_slot *slot)
{
	sample->lock = sample->lock_since_ns = 0;
	for (int i = 2; i >= 0; i--) {
		const struct record_contention *contention = &slot->locks[i];
		if (contention->lock && contention->since_ns + LOCK_SLACK_NS > slot->onset_ns) {
			sample->lock = contention->lock;
			sample->lock_since_ns = contention->since_ns;
			return;
		}
	}
}

#endif
