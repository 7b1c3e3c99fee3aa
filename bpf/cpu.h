/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU that a program runs on: its per-CPU variables, what was interrupted. */
#ifndef LOCKDUMP_CPU_H
#define LOCKDUMP_CPU_H

#include "bpf/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Addresses of per-CPU variables out of /proc/kallsyms; 0: not known. They are set where BTF has no variables: only
 * since 1.18 pahole has put them in, after 5.10.
 */
const volatile __u64 runqueues_at = 0;
const volatile __u64 kernel_cpustat_at = 0;
const volatile __u64 irq_regs_at = 0;
const volatile __u64 preempt_count_at = 0;
const volatile __u64 per_cpu_offset_at = 0;

extern const struct rq runqueues __ksym __weak;
extern const struct kernel_cpustat kernel_cpustat __ksym __weak;
extern struct pt_regs *const __irq_regs __ksym __weak;
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;

/* Where this CPU's copy of the per-CPU variable is that kallsyms has at @address. Without SMP there is one. */
static __always_inline const void *this_cpu(__u64 address)
{
	__u64 offset = 0;

	if (per_cpu_offset_at)
		bpf_probe_read_kernel(&offset, sizeof(offset),
				      (const void *)(per_cpu_offset_at +
						     bpf_get_smp_processor_id() * sizeof(offset)));
	return address ? (const void *)(address + offset) : NULL;
}

/* This CPU's copy of a per-CPU variable; NULL: this kernel has none. It may be an address only: not to be followed directly. */
#define THIS_CPU(variable, at) (&variable ? bpf_this_cpu_ptr(&variable) : this_cpu(at))

/* The interrupted registers: the kernel sets this pointer for the time of an interrupt. */
static __always_inline struct pt_regs *interrupted_regs(void)
{
	struct pt_regs *regs = NULL;
	const void *at;

	/* Every tick comes here: what the BTF has is read without a helper. */
	if (&__irq_regs)
		return *(struct pt_regs *const *)bpf_this_cpu_ptr(&__irq_regs);
	at = this_cpu(irq_regs_at);
	if (at)
		bpf_probe_read_kernel(&regs, sizeof(regs), at);
	return regs;
}

static __always_inline __u64 read_switches(const struct rq *rq)
{
	return &runqueues ? rq->nr_switches : BPF_CORE_READ(rq, nr_switches);
}

#if defined(__TARGET_ARCH_x86)
static __always_inline bool is_user(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, cs) & 3;
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
