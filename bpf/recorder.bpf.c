// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder. From a timer interrupt it looks at its own CPU, and where that does not get on it takes a sample
 * into the CPU's slot of the flight record. It runs on machines that are about to die: it writes to its slot only,
 * takes no lock, and allocates nothing.
 *
 * Each of the kernel functions that it can hang on has a program here; the loader takes the first tick function
 * that the kernel has, and watchdog_timer_fn besides: that one runs on idle CPUs too, whose tick is stopped, and
 * ends stalls there; and where there is no tick function it takes the samples.
 */
#include "bpf/cpu.h"
#include "bpf/record.h"

char LICENSE[] SEC("license") = "GPL";

/* Set before the load. */
const volatile __u64 sample_first_ns = 1000000000;
const volatile __u64 sample_interval_ns = 1000000000;
/*
 * Looks that are further apart than this say nothing of what was between them: the tick was stopped, interrupts
 * were off, or the whole machine was not running. No stall begins over such a gap: the time before it does not
 * count. One that is on already goes on over it. 0: any distance is normal.
 */
const volatile __u64 max_gap_ns = 0;
/* Addresses out of /proc/kallsyms; 0: not known. No BTF has types for them. */
const volatile __u64 vm_zone_stat_at = 0;
const volatile __u64 vm_node_stat_at = 0;
const volatile __u64 nr_swap_pages_at = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the loader: 1 + the number of possible CPUs */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, RECORD_SLOT_SIZE);
} lockdump_record SEC(".maps");

#define barrier() asm volatile("" ::: "memory")

#if defined(__TARGET_ARCH_x86)
/*
 * The highest bit of x86's preempt count is clear where a reschedule is wanted: unlike the numbers of the
 * thread flags, it has been the same in all kernels (arch/x86/include/asm/preempt.h).
 */
static __always_inline void read_preempt_count(struct record_sample *sample)
{
	const __u32 no_resched = 1U << 31;
	const void *at = THIS_CPU(__preempt_count, preempt_count_at);
	__u32 count;

	if (!at && &pcpu_hot) {
		const struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);
		at = &hot->preempt_count;
	}
	if (!at || bpf_probe_read_kernel(&count, sizeof(count), at)) {
		sample->preempt_count = RECORD_UNKNOWN_U32;
		return;
	}
	sample->preempt_count = count & ~no_resched;
	if (!(count & no_resched))
		sample->flags |= RECORD_SAMPLE_NEED_RESCHED;
}
#else
#error "bpf/recorder.bpf.c: this machine's registers are not known yet"
#endif

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
	sample->cgroup_id = bpf_get_current_cgroup_id();
	read_rss(sample, BPF_CORE_READ(task, mm));
}

/* The place of a stall's @n-th sample, from 0. */
static __always_inline __u32 place(__u64 n)
{
	if (n < RECORD_NR_ONSET)
		return n;
	return RECORD_NR_ONSET + (n - RECORD_NR_ONSET) % RECORD_NR_RING;
}

static __always_inline void take_sample(void *ctx, struct record_slot *slot, const struct rq *rq,
					struct pt_regs *regs, __u64 now)
{
	__u64 number = slot->last_number + 1;
	__u32 index = place(number - slot->first_number);
	struct record_sample *sample;

	if (index >= RECORD_NR_SAMPLES) /* says it to the verifier */
		return;
	sample = &slot->samples[index];

	sample->number = number;
	barrier();
	sample->time_ns = now;
	sample->onset_ns = slot->onset_ns;
	sample->flags = 0;
	sample->nr_running = BPF_CORE_READ(rq, nr_running);
	sample->nr_switches = slot->nr_switches;
	read_preempt_count(sample);
	read_cpu_time(sample);
	read_memory(sample);
	read_task(sample, (struct task_struct *)bpf_get_current_task());
	read_regs(sample, regs);
	read_stack(sample, ctx);
	barrier();
	sample->number_end = number;
	barrier();
	slot->last_number = number;
}

static __always_inline void begin_stall(struct record_slot *slot, __u64 now)
{
	slot->sequence++;
	barrier();
	slot->first_number = slot->last_number + 1;
	slot->next_sample_ns = now;
	slot->stalls++;
	slot->onset_ns = slot->progress_ns;
	slot->last_ns = now;
	slot->end_ns = 0;
	slot->wanted_ns = 0;
	barrier();
	slot->sequence++;
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

static __always_inline int look(void *ctx, bool is_watchdog)
{
	__u32 key = 1 + bpf_get_smp_processor_id();
	struct record_slot *slot = bpf_map_lookup_elem(&lockdump_record, &key);
	const struct rq *rq = THIS_CPU(runqueues, runqueues_at);
	struct pt_regs *regs = interrupted_regs();
	__u64 now = bpf_ktime_get_ns();
	__u64 before;

	if (!slot || !rq)
		return 0;
	before = slot->last_tick_ns > slot->watchdog_ns ? slot->last_tick_ns : slot->watchdog_ns;
	if (is_watchdog) {
		slot->watchdog_ns = now;
		slot->watchdog_calls++;
	} else {
		slot->last_tick_ns = now;
		slot->ticks++;
	}

	if (!before || progressed(slot, rq, regs, now - before)) {
		slot->progress_ns = now;
		if (stall_is_on(slot))
			slot->end_ns = now;
		return 0;
	}
	if (stall_is_on(slot))
		slot->last_ns = now;
	else if (now - slot->progress_ns >= sample_first_ns)
		begin_stall(slot, now);
	else
		return 0;
	if (!slot->wanted_ns && BPF_CORE_READ(rq, nr_running) > 1)
		slot->wanted_ns = now;

	if (now >= slot->next_sample_ns) {
		slot->next_sample_ns += sample_interval_ns;
		if (slot->next_sample_ns <= now) /* looks are rarer than samples: do not catch up */
			slot->next_sample_ns = now + sample_interval_ns;
		take_sample(ctx, slot, rq, regs, now);
	}
	return 0;
}

/* The tick, by the kernel's names for it; sched_tick was scheduler_tick until 86dd6c04ef9f, 6.10. */

SEC("fentry/account_process_tick")
int tick_account_process_tick(void *ctx)
{
	return look(ctx, false);
}

SEC("fentry/update_process_times")
int tick_update_process_times(void *ctx)
{
	return look(ctx, false);
}

SEC("fentry/scheduler_tick")
int tick_scheduler_tick(void *ctx)
{
	return look(ctx, false);
}

SEC("fentry/sched_tick")
int tick_sched_tick(void *ctx)
{
	return look(ctx, false);
}

SEC("fentry/watchdog_timer_fn")
int watchdog(void *ctx)
{
	return look(ctx, true);
}

/* Where no function can be hung on: the loader makes an event for each CPU. */
SEC("perf_event")
int cpu_clock(void *ctx)
{
	return look(ctx, false);
}
