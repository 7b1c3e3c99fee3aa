/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The locks that this CPU spins for: what the slow paths of spinlocks and rwlocks were last called with, in each
 * context by itself: an interrupt may spin while the task that it interrupted does.
 *
 * Only calls are noted. A program at the return too would be on the stack of whoever spins for ever. The tracepoints
 * lock:contention_begin and _end are called for mutexes as well, of which a busy machine has thousands a second (0.6 %
 * of hackbench's time on 7.2), are not there before 5.19, and pass by whoever is the first to wait. So what is noted
 * may be over: a sample looks whether the code that it interrupted is still there.
 *
 * A stack takes longer than all else in the recorder: of a CPU's time only one part in STACK_SHARE goes to them.
 */
#ifndef LOCKDUMP_CONTENTION_H
#define LOCKDUMP_CONTENTION_H

#include "bpf/cpu.h"
#include "bpf/slot.h"

/* Else these programs are not loaded: a recorder that is taken over is told by it from one that does the same. */
const volatile bool notes_locks = true;

/* Where the slow paths are: none, if /proc/kallsyms hides it. */
#define NR_SLOW_PATHS 5
const volatile struct {
	__u64 start, end;
} slow_paths[NR_SLOW_PATHS] = {};

#define STACK_SHARE	   4096
#define STACK_PAUSE_MAX_NS 1000000000ull
#define LOCK_SLACK_NS \
	20000000ull /* a stall's onset is the last look that saw none: a tick or two early or late */
#define WAIT_LOCK \
	4 /* offset of struct qrwlock's own spinlock: include/asm-generic/qrwlock_types.h */
#define NR_CALLEES 3 /* a paravirtual slow path may halt: pv_wait, kvm_wait, native_halt */

/* include/linux/preempt.h: 0xff preemption, 0x100 a softirq is served, hardirqs, NMIs. */
static __always_inline __u32 context_of(__u32 preempt_count)
{
	if (preempt_count & 0xf00000)
		return 3;
	if (preempt_count & 0xf0000)
		return 2;
	return preempt_count & 0x100 ? 1 : 0;
}

/* Of the code that @sample's own interrupt or NMI came upon. */
static __always_inline __u32 interrupted_context(const struct record_sample *sample)
{
	__u32 count = sample->preempt_count;

	if (count == RECORD_UNKNOWN_U32)
		return 0;
	if (sample->flags & RECORD_SAMPLE_NMI)
		return context_of(count & 0xfffff);
	return context_of(count & 0xf0000 ? count - 0x10000 : count);
}

static __always_inline struct record_contention *contention_here(struct record_slot *slot)
{
	__u32 count = raw_preempt_count();

	return &slot->locks[count == RECORD_UNKNOWN_U32 ? 0 : context_of(count)];
}

static __always_inline void read_lock_stack(void *ctx, struct record_slot *slot,
					    struct record_contention *contention, __u64 now)
{
	__u64 pause;
	long size;

	/*
	 * None amid this one, by who interrupts it and spins, too. With the sample of a tick and that of an NMI there are
	 * three at a time on a CPU, as many as the kernel has room for, and 5.10 warns of a fourth: get_bpf_raw_tp_regs()
	 * in kernel/trace/bpf_trace.c.
	 */
	slot->lock_stack_next_ns = now + STACK_PAUSE_MAX_NS;
	barrier();
	size = bpf_get_stack(ctx, contention->stack, sizeof(contention->stack), 0);
	pause = (bpf_ktime_get_ns() - now) * STACK_SHARE;

	contention->nr_stack = size > 0 ? size / sizeof(contention->stack[0]) : 0;
	contention->stack_ns = now;
	/* The time may be that of an interrupt, or of a machine that was paused. */
	slot->lock_stack_next_ns = now + (pause < STACK_PAUSE_MAX_NS ? pause : STACK_PAUSE_MAX_NS);
}

/* @flags: enum record_lock_flags. */
static __always_inline int note_spinning(void *ctx, __u64 lock, __u32 flags)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	struct record_contention *contention;
	__u64 now;

	if (!slot)
		return 0;
	contention = contention_here(slot);
	/* Who waits for a rwlock may spin for the spinlock in it first. */
	if (!flags && contention->flags && contention->lock + WAIT_LOCK == lock)
		return 0;
	contention->lock = 0;
	barrier();
	now = bpf_ktime_get_ns();
	contention->since_ns = now;
	contention->flags = flags;
	contention->pid = bpf_get_current_pid_tgid();
	if (now >= slot->lock_stack_next_ns)
		read_lock_stack(ctx, slot, contention, now);
	barrier();
	contention->lock = lock;
	return 0;
}

static __always_inline bool in_slow_path(__u64 pc)
{
	for (int i = 0; i < NR_SLOW_PATHS; i++)
		if (pc >= slow_paths[i].start && pc < slow_paths[i].end)
			return true;
	return false;
}

static __always_inline bool interrupted_slow_path(const struct record_sample *sample, __u64 pc)
{
	if (in_slow_path(pc))
		return true;
	for (__u32 i = 0; i < RECORD_STACK_MAX - NR_CALLEES; i++) {
		if (i + NR_CALLEES >= sample->nr_stack)
			return false;
		if (sample->stack[i] == pc)
			return in_slow_path(sample->stack[i + 1]) ||
			       in_slow_path(sample->stack[i + 2]) ||
			       in_slow_path(sample->stack[i + 3]);
	}
	return false;
}

/* @sample has all else already. */
static __always_inline void read_contention(struct record_sample *sample,
					    const struct record_slot *slot, struct pt_regs *regs)
{
	const struct record_contention *contention = &slot->locks[interrupted_context(sample)];

	sample->lock = sample->lock_since_ns = 0;
	if (!regs || !contention->lock || contention->since_ns + LOCK_SLACK_NS <= slot->onset_ns ||
	    !interrupted_slow_path(sample, interrupted_pc(regs)))
		return;
	sample->lock = contention->lock;
	sample->lock_since_ns = contention->since_ns;
}

#endif
