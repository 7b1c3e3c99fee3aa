/* SPDX-License-Identifier: GPL-2.0-only */
/* What a sample says of its CPU, of the task that runs there, and of the machine. */
#ifndef LOCKDUMP_SAMPLE_H
#define LOCKDUMP_SAMPLE_H

#include "bpf/cpu.h"
#include "bpf/record.h"

/* Addresses out of /proc/kallsyms; 0: not known. No BTF has types for them. */
const volatile __u64 vm_zone_stat_at = 0;
const volatile __u64 vm_node_stat_at = 0;
const volatile __u64 nr_swap_pages_at = 0;

static __always_inline void read_preempt_count(struct record_sample *sample)
{
	struct preemption preemption;

	read_preemption(&preemption);
	sample->preempt_count = preemption.count;
	if (preemption.resched & RECORD_RESCHED_NOW)
		sample->flags |= RECORD_SAMPLE_NEED_RESCHED;
	if (preemption.resched & RECORD_RESCHED_LAZY)
		sample->flags |= RECORD_SAMPLE_NEED_RESCHED_LAZY;
}

static __always_inline void read_regs(struct record_sample *sample, struct pt_regs *regs)
{
	__u32 size = bpf_core_type_size(struct pt_regs);

	__builtin_memset(sample->regs, 0, sizeof(sample->regs));
	if (size > sizeof(sample->regs))
		size = sizeof(sample->regs);
	if (regs && !bpf_probe_read_kernel(sample->regs, size, regs))
		sample->flags |= RECORD_SAMPLE_REGS;
}

static __always_inline void read_stack(struct record_sample *sample, void *ctx)
{
	long size = bpf_get_stack(ctx, sample->stack, sizeof(sample->stack), 0);

	sample->nr_stack = size > 0 ? size / sizeof(sample->stack[0]) : 0;
}

static __always_inline __u64 read_counter(__u64 base, __u64 index)
{
	long value;

	if (!base || bpf_probe_read_kernel(&value, sizeof(value),
					   (const void *)(base + index * sizeof(value))))
		return RECORD_UNKNOWN;
	return value < 0 ? 0 : value;
}

#define NODE_COUNTER(item)                                                                       \
	(bpf_core_enum_value_exists(enum node_stat_item, item)                                   \
		 ? read_counter(vm_node_stat_at, bpf_core_enum_value(enum node_stat_item, item)) \
		 : RECORD_UNKNOWN)

static __always_inline void read_memory(struct record_sample *sample)
{
	__u64 reclaimable = NODE_COUNTER(NR_SLAB_RECLAIMABLE_B);
	__u64 unreclaimable = NODE_COUNTER(NR_SLAB_UNRECLAIMABLE_B);

	sample->memory_pages[RECORD_MEMORY_FREE] = read_counter(
		vm_zone_stat_at, bpf_core_enum_value(enum zone_stat_item, NR_FREE_PAGES));
	sample->memory_pages[RECORD_MEMORY_ANON] = NODE_COUNTER(NR_ANON_MAPPED);
	sample->memory_pages[RECORD_MEMORY_FILE] = NODE_COUNTER(NR_FILE_PAGES);
	sample->memory_pages[RECORD_MEMORY_SLAB] =
		reclaimable == RECORD_UNKNOWN || unreclaimable == RECORD_UNKNOWN
			? RECORD_UNKNOWN
			: reclaimable + unreclaimable;
	sample->memory_pages[RECORD_MEMORY_SWAP_FREE] = read_counter(nr_swap_pages_at, 0);
}

static __always_inline void read_cpu_time(struct record_sample *sample)
{
	const struct kernel_cpustat *stat = THIS_CPU(kernel_cpustat, kernel_cpustat_at);

	if (!stat ||
	    bpf_probe_read_kernel(sample->cpu_time_ns, sizeof(sample->cpu_time_ns), &stat->cpustat))
		__builtin_memset(sample->cpu_time_ns, 0xff, sizeof(sample->cpu_time_ns));
}

static __always_inline void read_interrupts(struct record_sample *sample)
{
	const struct kernel_stat *stat = THIS_CPU(kstat, kstat_at);

	if (!stat) {
		sample->nr_irqs = RECORD_UNKNOWN;
		__builtin_memset(sample->nr_softirqs, 0xff, sizeof(sample->nr_softirqs));
		return;
	}
	sample->nr_irqs = BPF_CORE_READ(stat, irqs_sum);
	for (int i = 0; i < RECORD_NR_SOFTIRQS; i++)
		sample->nr_softirqs[i] = BPF_CORE_READ(stat, softirqs[i]);
}

static __always_inline __u64 counted(long value)
{
	return value < 0 ? 0 : value;
}

#define RSS_PLAIN(mm, i) \
	counted(BPF_CORE_READ((struct mm_struct___plain *)(mm), rss_stat.count[i].counter))
#define RSS_PERCPU(mm, i) \
	counted(BPF_CORE_READ((struct mm_struct___percpu *)(mm), rss_stat[i].count))

/* The kernel's own MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES: 0 to 3 since 4.5. */
static __always_inline void read_rss(struct record_sample *sample, struct mm_struct *mm)
{
	if (!mm) {
		__builtin_memset(sample->rss_pages, 0, sizeof(sample->rss_pages));
	} else if (bpf_core_field_exists(((struct mm_struct___percpu *)mm)->rss_stat[0].count)) {
		sample->rss_pages[RECORD_RSS_FILE] = RSS_PERCPU(mm, 0);
		sample->rss_pages[RECORD_RSS_ANON] = RSS_PERCPU(mm, 1);
		sample->rss_pages[RECORD_RSS_SWAP] = RSS_PERCPU(mm, 2);
		sample->rss_pages[RECORD_RSS_SHMEM] = RSS_PERCPU(mm, 3);
	} else if (bpf_core_field_exists(((struct mm_struct___plain *)mm)->rss_stat.count)) {
		sample->rss_pages[RECORD_RSS_FILE] = RSS_PLAIN(mm, 0);
		sample->rss_pages[RECORD_RSS_ANON] = RSS_PLAIN(mm, 1);
		sample->rss_pages[RECORD_RSS_SWAP] = RSS_PLAIN(mm, 2);
		sample->rss_pages[RECORD_RSS_SHMEM] = RSS_PLAIN(mm, 3);
	} else {
		__builtin_memset(sample->rss_pages, 0xff, sizeof(sample->rss_pages));
	}
}

static __always_inline __u32 task_state(struct task_struct *task)
{
	if (bpf_core_field_exists(((struct task_struct___renamed *)task)->__state))
		return BPF_CORE_READ((struct task_struct___renamed *)task, __state);
	if (bpf_core_field_exists(((struct task_struct___state *)task)->state))
		return BPF_CORE_READ((struct task_struct___state *)task, state);
	return RECORD_UNKNOWN_U32;
}

static __always_inline void read_task(struct record_sample *sample, struct task_struct *task)
{
	BPF_CORE_READ_INTO(&sample->comm, task, comm);
	sample->task = (__u64)task;
	sample->pid = BPF_CORE_READ(task, pid);
	sample->tgid = BPF_CORE_READ(task, tgid);
	sample->ppid = BPF_CORE_READ(task, real_parent, tgid);
	sample->prio = BPF_CORE_READ(task, prio);
	sample->policy = BPF_CORE_READ(task, policy);
	sample->task_flags = BPF_CORE_READ(task, flags);
	sample->task_state = task_state(task);
	sample->reserved = 0;
	sample->start_time_ns = BPF_CORE_READ(task, start_time);
	sample->runtime_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	sample->utime_ns = BPF_CORE_READ(task, utime);
	sample->stime_ns = BPF_CORE_READ(task, stime);
	sample->nvcsw = BPF_CORE_READ(task, nvcsw);
	sample->nivcsw = BPF_CORE_READ(task, nivcsw);
	sample->thread_flags = BPF_CORE_READ(task, thread_info.flags);
	sample->cgroup_id = bpf_get_current_cgroup_id();
	read_rss(sample, BPF_CORE_READ(task, mm));
}

#endif
