/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUs: their per-CPU variables, and what this one was doing when it was interrupted. */
#ifndef LOCKDUMP_CPU_H
#define LOCKDUMP_CPU_H

#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/record.h"

/*
 * Addresses of per-CPU variables out of /proc/kallsyms; 0: not known. They are set where BTF has no variables: only
 * since 1.18 pahole has put them in, after 5.10.
 */
const volatile __u64 runqueues_at = 0;
const volatile __u64 kernel_cpustat_at = 0;
const volatile __u64 irq_regs_at = 0;
const volatile __u64 preempt_count_at = 0;
const volatile __u64 kstat_at = 0;
const volatile __u64 hrtimer_bases_at = 0;
const volatile __u64 cpu_worker_pools_at = 0;
const volatile __u64 per_cpu_offset_at = 0;

extern const struct rq runqueues __ksym __weak;
extern const struct kernel_cpustat kernel_cpustat __ksym __weak;
extern struct pt_regs *const __irq_regs __ksym __weak;
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;
extern const struct kernel_stat kstat __ksym __weak;
extern const struct hrtimer_cpu_base hrtimer_bases __ksym __weak;
extern const struct worker_pool cpu_worker_pools[2] __ksym __weak;

/* Where @cpu's copy of the per-CPU variable is that kallsyms has at @address. Without SMP there is one. */
static __always_inline const void *cpu_address(__u64 address, __u32 cpu)
{
	__u64 offset = 0;

	if (per_cpu_offset_at)
		bpf_probe_read_kernel(&offset, sizeof(offset),
				      (const void *)(per_cpu_offset_at + cpu * sizeof(offset)));
	return address ? (const void *)(address + offset) : NULL;
}

/*
 * This CPU's copy of a per-CPU variable, or @cpu's; NULL: this kernel has none. It may be an address only: not to
 * be followed directly.
 */
#define THIS_CPU(variable, at) \
	(&variable ? bpf_this_cpu_ptr(&variable) : cpu_address(at, bpf_get_smp_processor_id()))
#define THAT_CPU(variable, at, cpu) \
	(&variable ? bpf_per_cpu_ptr(&variable, cpu) : cpu_address(at, cpu))

/* The interrupted registers: the kernel sets this pointer for the time of an interrupt. */
static __always_inline struct pt_regs *interrupted_regs(void)
{
	struct pt_regs *regs = NULL;
	const void *at;

	/* Every tick comes here: what the BTF has is read without a helper. */
	if (&__irq_regs)
		return *(struct pt_regs *const *)bpf_this_cpu_ptr(&__irq_regs);
	at = cpu_address(irq_regs_at, bpf_get_smp_processor_id());
	if (at)
		bpf_probe_read_kernel(&regs, sizeof(regs), at);
	return regs;
}

static __always_inline __u64 read_switches(const struct rq *rq)
{
	return &runqueues ? rq->nr_switches : BPF_CORE_READ(rq, nr_switches);
}

/* What the CPU may be doing now: task code, softirq, interrupt or NMI; and whether it was asked to reschedule. */
struct preemption {
	__u32 count; /* RECORD_UNKNOWN_U32 where it is not known */
	__u32 resched; /* enum record_resched */
};

#if defined(__TARGET_ARCH_x86)
static __always_inline bool is_user(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, cs) & 3;
}

static __always_inline __u64 interrupted_pc(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, ip);
}

/* include/linux/preempt.h; the highest bit is x86's own, and clear where a reschedule is wanted. */
#define PREEMPT_NO_RESCHED (1U << 31)

static __always_inline __u32 raw_preempt_count(void)
{
	const int *at;
	__u32 count;

	if (&__preempt_count)
		return *(const int *)bpf_this_cpu_ptr(&__preempt_count);
	if (&pcpu_hot)
		return ((const struct pcpu_hot *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	at = cpu_address(preempt_count_at, bpf_get_smp_processor_id());
	if (!at || bpf_probe_read_kernel(&count, sizeof(count), at))
		return RECORD_UNKNOWN_U32;
	return count;
}

/*
 * Of the thread flags: TIF_NEED_RESCHED_LAZY is 4 from 6.13 on, where TIF_NEED_RESCHED is 3, and 5 since 6.18,
 * where that is 4 (asm-generic/thread_info_tif.h). Where the preempt count says that it is not NEED_RESCHED, either
 * is the lazy one; 0 on kernels without it.
 */
const volatile __u64 lazy_flags = 0;

static __always_inline void read_preemption(struct preemption *ret)
{
	__u32 count = raw_preempt_count();

	ret->resched = 0;
	ret->count = count;
	if (count == RECORD_UNKNOWN_U32)
		return;
	ret->count = count & ~PREEMPT_NO_RESCHED;
	if (!(count & PREEMPT_NO_RESCHED)) {
		ret->resched = RECORD_RESCHED_NOW;
	} else if (lazy_flags) {
		struct task_struct *task = (struct task_struct *)bpf_get_current_task();
		if (BPF_CORE_READ(task, thread_info.flags) & lazy_flags)
			ret->resched = RECORD_RESCHED_LAZY;
	}
}
#else
#error "bpf/cpu.h: this machine's registers are not known yet"
#endif

#define PF_VCPU 0x1 /* include/linux/sched.h: a guest of this machine was interrupted */

/* Whether the kernel was interrupted in what it does for a task: not user code, not a guest, not the idle task. */
static __always_inline bool in_kernel_code(struct pt_regs *regs)
{
	struct task_struct *task;

	if (regs && is_user(regs))
		return false;
	task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, pid) && !(BPF_CORE_READ(task, flags) & PF_VCPU);
}

#endif
