// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder. From a timer interrupt it looks at its own CPU, and where that does not get on it takes a sample
 * into the CPU's slot of the flight record. It runs on machines that are about to die: it writes to its slot only,
 * takes no lock, and allocates nothing. What it does at each look is little; once a second it looks around
 * (bpf/conditions.h, bpf/neighbours.h).
 *
 * Each of the kernel functions that it can hang on has a program here; the loader takes the first tick function
 * that the kernel has, and watchdog_timer_fn besides: that one runs on idle CPUs too, whose tick is stopped, and
 * ends stalls there; and where there is no tick function it takes the samples.
 */
#include "bpf/conditions.h"
#include "bpf/contention.h"
#include "bpf/cpu.h"
#include "bpf/neighbours.h"
#include "bpf/nmi.h"
#include "bpf/pause.h"
#include "bpf/sample.h"
#include "bpf/slot.h"

char LICENSE[] SEC("license") = "GPL";

/* Set before the load. */
const volatile __u64 sample_first_ns = 1000000000;
const volatile __u64 sample_interval_ns = 1000000000;

static __always_inline void take_sample(void *ctx, struct record_slot *slot, const struct rq *rq,
					struct pt_regs *regs, __u64 now, __u32 flags)
{
	__u64 number = slot->last_number + 1;
	__u32 index = record_place(number - slot->first_number);
	struct record_sample *sample;

	/* For the verifier, which knows less than the compiler. */
	asm volatile("" : "+r"(index));
	if (index >= RECORD_NR_SAMPLES)
		return;
	sample = &slot->samples[index];

	sample->number = number;
	barrier();
	sample->time_ns = now;
	sample->onset_ns = slot->onset_ns;
	sample->flags = flags;
	sample->nr_running = BPF_CORE_READ(rq, nr_running);
	sample->nr_switches = slot->nr_switches;
	read_preempt_count(sample);
	read_cpu_time(sample);
	read_interrupts(sample);
	read_memory(sample);
	read_task(sample, (struct task_struct *)bpf_get_current_task());
	read_regs(sample, regs);
	read_stack(sample, ctx);
	read_contention(sample, slot, regs);
	barrier();
	sample->number_end = number;
	barrier();
	slot->last_number = number;
}

/*
 * When the running task came to this CPU; 0: not known. Its time is on the run queue's own clock, which was last set by the
 * tick, right behind the look at @before.
 */
static __always_inline __u64 last_switch(const struct rq *rq, __u64 before)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 clock = BPF_CORE_READ(rq, clock), arrival;

	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return 0;
	arrival = BPF_CORE_READ(task, sched_info.last_arrival);
	return arrival && arrival <= clock && clock - arrival < before ? before - (clock - arrival)
								       : 0;
}

static __always_inline void begin_stall(struct record_slot *slot, const struct rq *rq, __u64 before,
					__u64 now)
{
	slot->sequence++;
	barrier();
	slot->first_number = slot->last_number + 1;
	slot->next_sample_ns = now;
	slot->stalls++;
	slot->onset_ns = slot->progress_ns;
	slot->switch_ns = last_switch(rq, before);
	slot->last_ns = now;
	slot->end_ns = 0;
	slot->wanted_ns = 0;
	slot->paused_ns = 0;
	barrier();
	slot->sequence++;
	read_neighbours(slot);
}

static __always_inline bool stall_is_on(const struct record_slot *slot)
{
	return slot->onset_ns && !slot->end_ns;
}

/* Whether this CPU got on since the last look, @gap nanoseconds ago. */
static __always_inline bool progressed(struct record_slot *slot, const struct rq *rq,
				       struct pt_regs *regs, __u64 gap)
{
	__u64 switches = read_switches(rq);

	if (switches != slot->nr_switches) {
		slot->nr_switches = switches;
		return true;
	}
	if (!in_kernel_code(regs))
		return true;
	return max_gap_ns && gap > max_gap_ns && !stall_is_on(slot);
}

/* The stall goes on; since the last look, at @before, nothing may have run. */
static __always_inline void go_on(struct record_slot *slot, __u64 before, __u64 now)
{
	pause_stall(slot, before, now);
	barrier();
	slot->last_ns = now;
}

static __always_inline void look_at_resched(struct record_slot *slot, __u64 now)
{
	struct preemption preemption;

	read_preemption(&preemption);
	if (preemption.resched)
		condition_see(slot, RECORD_KIND_NEED_RESCHED, now, now, preemption.resched, 0);
	else
		condition_end(slot, RECORD_KIND_NEED_RESCHED, now);
}

static __always_inline void sample_if_due(void *ctx, struct record_slot *slot, const struct rq *rq,
					  struct pt_regs *regs, __u64 now)
{
	__u64 taken = slot->last_number + 1 - slot->first_number;
	__u64 interval = sample_interval_ns;

	if (now < slot->next_sample_ns)
		return;
	if (taken < RECORD_NR_DENSE)
		interval /= 4;
	slot->next_sample_ns += interval;
	if (slot->next_sample_ns <= now) /* looks are rarer than samples: do not catch up */
		slot->next_sample_ns = now + interval;
	take_sample(ctx, slot, rq, regs, now, 0);
}

/*
 * A tick that comes after a pause comes before the watchdog's timer, which tells that it was one: what is due by now for
 * others is no fault of theirs then.
 */
static __always_inline void look_around(struct record_slot *slot, __u64 gap, bool is_tick,
					__u64 now)
{
	look_for_conditions(slot, now);
	if (!is_tick || gap <= max_gap_ns)
		look_at_neighbours(slot, now);
	slot->round_ns = now;
}

/* @watchdog: its timer, if it is the watchdog that looks. */
static __always_inline int look(void *ctx, const struct hrtimer *watchdog)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	const struct rq *rq = THIS_CPU(runqueues, runqueues_at);
	struct pt_regs *regs = interrupted_regs();
	__u64 now = bpf_ktime_get_ns();
	__u64 before;

	if (!slot || !rq)
		return 0;
	before = last_look(slot);
	note_gap(slot, before, now);
	if (watchdog) {
		note_pause(slot, watchdog, now);
		slot->watchdog_ns = now;
		slot->watchdog_calls++;
	} else {
		slot->last_tick_ns = now;
		slot->ticks++;
	}
	if (now - slot->round_ns >= ROUND_NS)
		look_around(slot, now - before, !watchdog, now);

	if (!before || progressed(slot, rq, regs, now - before)) {
		slot->progress_ns = now;
		if (stall_is_on(slot)) {
			slot->end_ns = now;
			condition_end(slot, RECORD_KIND_NEED_RESCHED, now);
		}
		return 0;
	}
	if (stall_is_on(slot))
		go_on(slot, before, now);
	else if (now - slot->progress_ns >= sample_first_ns)
		begin_stall(slot, rq, before, now);
	else
		return 0;
	if (!slot->wanted_ns && BPF_CORE_READ(rq, nr_running) > 1)
		slot->wanted_ns = now;
	look_at_resched(slot, now);
	sample_if_due(ctx, slot, rq, regs, now);
	return 0;
}

/*
 * From an NMI: what the tick would do if it came. But RCU takes a pause for a stall, and sends NMIs right behind it:
 * then this CPU has done no wrong.
 */
static __always_inline void look_while_deaf(void *ctx, struct pt_regs *regs)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	const struct rq *rq = THIS_CPU(runqueues, runqueues_at);
	__u64 now = bpf_ktime_get_ns(), since, before;

	if (!max_gap_ns || !slot || !rq)
		return;
	since = deaf_here_since(slot, rq, regs, now);
	if (!since || find_pause(since, now) > IDLE_GAP_NS)
		return;
	before = last_look(slot);
	if (read_switches(rq) != slot->nr_switches) {
		slot->nr_switches = read_switches(rq);
		slot->progress_ns = since;
		/* The run queue's clock was set after that look: when the switch was is not known. */
		before = 0;
		if (stall_is_on(slot))
			slot->end_ns = since;
	}
	slot->nmi_ns = now;
	if (stall_is_on(slot))
		slot->last_ns = now;
	else
		begin_stall(slot, rq, before, now);
	if (!slot->wanted_ns && BPF_CORE_READ(rq, nr_running) > 1)
		slot->wanted_ns = now;
	take_sample(ctx, slot, rq, regs, now, RECORD_SAMPLE_NMI);
}

/* The tick, by the kernel's names for it; sched_tick was scheduler_tick until 86dd6c04ef9f, 6.10. */

SEC("fentry/account_process_tick")
int tick_account_process_tick(void *ctx)
{
	return look(ctx, NULL);
}

SEC("fentry/update_process_times")
int tick_update_process_times(void *ctx)
{
	return look(ctx, NULL);
}

SEC("fentry/scheduler_tick")
int tick_scheduler_tick(void *ctx)
{
	return look(ctx, NULL);
}

SEC("fentry/sched_tick")
int tick_sched_tick(void *ctx)
{
	return look(ctx, NULL);
}

SEC("fentry/watchdog_timer_fn")
int watchdog(__u64 *ctx)
{
	return look(ctx, (const struct hrtimer *)ctx[0]);
}

/*
 * Each NMI goes through all handlers (arch/x86/kernel/nmi.c), so through this one. nmi_handle(), which calls them, is
 * split by the compiler since 6.1: its entry is passed by.
 */
SEC("fentry/nmi_cpu_backtrace_handler")
int nmi(__u64 *ctx)
{
	look_while_deaf(ctx, (struct pt_regs *)ctx[1]);
	return 0;
}

/* Where no function can be hung on: the loader makes an event for each CPU. */
SEC("perf_event")
int cpu_clock(void *ctx)
{
	return look(ctx, NULL);
}

/* The slow paths of spinlocks (kernel/locking/qspinlock.c), and of rwlocks (qrwlock.c). */

SEC("fentry/native_queued_spin_lock_slowpath")
int spin_native(__u64 *ctx)
{
	return note_spinning(ctx, ctx[0], 0);
}

SEC("fentry/__pv_queued_spin_lock_slowpath")
int spin_paravirtual(__u64 *ctx)
{
	return note_spinning(ctx, ctx[0], 0);
}

/* Without CONFIG_PARAVIRT_SPINLOCKS. */
SEC("fentry/queued_spin_lock_slowpath")
int spin_plain(__u64 *ctx)
{
	return note_spinning(ctx, ctx[0], 0);
}

SEC("fentry/queued_read_lock_slowpath")
int spin_read(__u64 *ctx)
{
	return note_spinning(ctx, ctx[0], RECORD_LOCK_READ);
}

SEC("fentry/queued_write_lock_slowpath")
int spin_write(__u64 *ctx)
{
	return note_spinning(ctx, ctx[0], RECORD_LOCK_WRITE);
}

/* Where the BTF has this tracepoint. */
SEC("tp_btf/sched_process_hang")
int hung_task(__u64 *ctx)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());

	if (slot)
		note_hung_task(slot, (struct task_struct *)ctx[0], bpf_ktime_get_ns());
	return 0;
}
