/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types as far as the recorder reads them. CO-RE finds each member in the running kernel's own
 * BTF when the program is loaded: order, offsets and what is left out here do not matter. What moved between
 * kernels stands in one flavour for each (the part of the name after ___ is not compared), and the program
 * asks which of them exists.
 */
#ifndef LOCKDUMP_KERNEL_TYPES_H
#define LOCKDUMP_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
/* Named by the declarations of the BPF helpers; never read here. */
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#define NULL ((void *)0)
#define bool _Bool
#define true 1
#define false 0

/* include/uapi/linux/bpf.h */
enum { BPF_MAP_TYPE_ARRAY = 2 };
enum { BPF_F_MMAPABLE = 1U << 10 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long counter;
} atomic_long_t;

struct mm_rss_stat {
	atomic_long_t count[4];
};

struct percpu_counter {
	__s64 count;
};

/* Up to 6.1; f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter") came with 6.2. */
struct mm_struct___plain {
	struct mm_rss_stat rss_stat;
};

struct mm_struct___percpu {
	struct percpu_counter rss_stat[4];
};

struct mm_struct {
	int dummy;
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct thread_info {
	unsigned long flags;
};

struct sched_info {
	__u64 last_arrival;
};

struct task_struct {
	struct thread_info thread_info;
	struct sched_info sched_info;
	unsigned int flags;
	int prio;
	unsigned int policy;
	int pid;
	int tgid;
	char comm[16];
	struct sched_entity se;
	struct mm_struct *mm;
	struct task_struct *real_parent;
	__u64 utime;
	__u64 stime;
	__u64 start_time;
	unsigned long nvcsw;
	unsigned long nivcsw;
};

/* 2f064a59a11f ("sched: Change task_struct::state") renamed it in 5.14. */
struct task_struct___state {
	long state;
};

struct task_struct___renamed {
	unsigned int __state;
};

struct rq {
	unsigned int nr_running;
	int online;
	__u64 nr_switches;
	__u64 clock;
	struct task_struct *curr;
};

struct kernel_cpustat {
	__u64 cpustat[8];
};

struct kernel_stat {
	unsigned long irqs_sum;
	unsigned int softirqs[10];
};

struct hrtimer {
	__s64 _softexpires;
};

struct hrtimer_cpu_base {
	__s64 expires_next;
};

/*
 * Set while the CPU runs its timers, when expires_next says nothing: a bit up to 6.12 at least, a bool in 7.2. So is
 * hres_active, which has its name in both: what reads the one reads the other, too.
 */
struct hrtimer_cpu_base___bit {
	unsigned int in_hrtirq : 1;
	unsigned int hres_active : 1;
};

struct hrtimer_cpu_base___bool {
	bool deferred_rearm;
};

struct list_head {
	struct list_head *next;
};

struct worker_pool {
	struct list_head worklist;
};

struct worker_pool___watchdog {
	unsigned long watchdog_ts;
};

struct worker_pool___progress {
	unsigned long last_progress_ts;
};

struct rcu_state {
	unsigned long gp_seq;
};

/* x86: __preempt_count was a member of pcpu_hot from 6.2 (64701838bf05) until 6.14, and alone before and after. */
struct pcpu_hot {
	int preempt_count;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long ip;
	unsigned long sp;
	unsigned long cs;
	unsigned long flags;
};
#endif

#pragma clang attribute pop

/* Their values differ with the kernel's version and configuration: only the names count. */
enum zone_stat_item {
	NR_FREE_PAGES,
};

enum node_stat_item {
	NR_ANON_MAPPED,
	NR_FILE_PAGES,
	NR_SLAB_RECLAIMABLE_B,
	NR_SLAB_UNRECLAIMABLE_B,
};

#endif
