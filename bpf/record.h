/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight record: what the recorder writes inside the kernel, and what the
 * controller, the capture kernel and the analyzer read. It is the one ABI that
 * outlives the process: a record may be read years later by another lockdump.
 *
 * It is the memory of one BPF array map named RECORD_MAP_NAME, with elements
 * of RECORD_SLOT_SIZE bytes, and a file record.bin is a plain copy of that
 * memory:
 *
 *	element 0		struct record_header, written by user space
 *	element 1 + cpu		struct record_slot, written on that CPU only
 *
 * A stall is a span in which a CPU neither switched tasks nor idled nor ran user
 * code. It is known from its first sample on, sample_first_ns after its onset.
 *
 * A slot has RECORD_NR_SAMPLES places. The first RECORD_NR_ONSET samples of a
 * stall take the front ones and stay; later ones go round the rest. So both the
 * onset and the last seconds of a stall are there, however long it took. Samples
 * of earlier stalls lie between: onset_ns tells which stall a sample belongs to.
 *
 * Nothing locks. A sample carries its number at both ends: they differ while
 * (or where) it is half-written, and the reader calls it torn. A place that was
 * never written has the number 0.
 *
 * The writer stores number, then the body, then number_end. Who reads while it
 * writes goes the other way: load number_end, then copy the body, then load
 * number. Only if the two are equal is the copy one sample; read in the writer's
 * order, an old end may match an old number around a new body.
 *
 * Everything is in the byte order of the machine that wrote it. Times are
 * CLOCK_MONOTONIC nanoseconds unless they say otherwise; the header's clock
 * anchors lead to the other clocks.
 */
#ifndef LOCKDUMP_RECORD_H
#define LOCKDUMP_RECORD_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define RECORD_MAGIC	"LOCKDUMP"
#define RECORD_ABI	1
#define RECORD_MAP_NAME "lockdump_record"

#define RECORD_SLOT_SIZE  65536
#define RECORD_NR_ONSET	  16
#define RECORD_NR_RING	  32
#define RECORD_NR_SAMPLES (RECORD_NR_ONSET + RECORD_NR_RING)
#define RECORD_STACK_MAX  88
#define RECORD_REGS_MAX	  40

/* A slot of 64 KB: 512 CPUs take 32 MB. */

/* Machines, by their ELF e_machine, so that the record needs no table of its own. */
#define RECORD_EM_X86_64  62
#define RECORD_EM_AARCH64 183

enum record_trigger_mode {
	RECORD_TRIGGER_OFF,
	RECORD_TRIGGER_SYSRQ,
	RECORD_TRIGGER_KERNEL,
	RECORD_TRIGGER_AUTO,
};

/* The cause that crashed the machine; RECORD_FIRED_NONE while none has. */
enum record_fired_by {
	RECORD_FIRED_NONE,
	RECORD_FIRED_SYSRQ,
	RECORD_FIRED_KERNEL,
};

/* The kernel's own trigger. It fires once: who brings ARMED to FIRING does. */
enum record_armed {
	RECORD_DISARMED,
	RECORD_ARMED,
	RECORD_FIRING,
};

/* What can be seen to go wrong. */
enum record_kind {
	RECORD_KIND_SOFT_LOCKUP,
	RECORD_KIND_HARD_LOCKUP,
	RECORD_KIND_RCU_STALL,
	RECORD_KIND_HUNG_TASK,
	RECORD_KIND_WORKQUEUE_STALL,
	RECORD_KIND_IRQ_STORM,
	RECORD_KIND_SOFTIRQ_STORM,
	RECORD_KIND_NEED_RESCHED,
	RECORD_NR_KINDS
};

struct record_header {
	__u8 magic[8];
	__u32 abi;
	__u32 machine;
	__u32 header_size;
	__u32 slot_size;
	__u32 sample_size;
	__u32 nr_slots; /* elements after the header: one for each possible CPU */
	__u32 nr_onset;
	__u32 nr_ring;
	__u32 page_size; /* bytes; of all the counters that are in pages */
	__u32 armed; /* enum record_armed: the kernel's own trigger */

	/* The three clocks read together at the start. */
	__u64 anchor_monotonic_ns;
	__u64 anchor_boottime_ns;
	__u64 anchor_realtime_ns;

	/* The machine's memory at the start, in pages. */
	__u64 memory_total_pages;
	__u64 swap_total_pages;

	__u64 sample_first_ns; /* from a stall's onset to its first sample */
	__u64 sample_interval_ns;
	__u64 threshold_ns;
	__u64 trigger_after_ns;
	__u32 trigger_mode; /* enum record_trigger_mode */
	__u32 controller_pid;
	__u64 heartbeat_ns; /* when the controller last ran */

	/* Written before the trigger is pulled, so that they are in the vmcore. */
	__u64 fired_ns;
	__u64 fired_onset_ns;
	__u32 fired_by; /* enum record_fired_by */
	__s32 fired_cpu; /* the CPU that is stuck, not the one that pulled */
	char fired_reason[128];

	char boot_id[40]; /* /proc/sys/kernel/random/boot_id */
	char release[72]; /* uname -r */
	char incident[40]; /* the incident's folder, empty while there is none */
	char tick_hook[32]; /* the kernel function that the samples come from */

	/* 1 << enum record_kind: what triggers. */
	__u32 trigger_on;
	__u32 reserved;
	__u64 sysrq_ns; /* when the controller last wrote to /proc/sysrq-trigger; 0: never */
	/* When the kernel's own trigger found no crash kernel to start, and gave up on what hung then; 0: never. */
	__u64 kernel_failed_ns;
};

enum record_sample_flags {
	RECORD_SAMPLE_REGS = 1 << 0, /* regs[] holds the interrupted registers */
	RECORD_SAMPLE_NEED_RESCHED = 1 << 1, /* the task was asked to leave the CPU */
	RECORD_SAMPLE_USER = 1 << 2, /* user mode was interrupted */
};

/* Indices of record_sample.cpu_time_ns: enum cpu_usage_stat, in this order in all kernels since 3.3. */
enum record_cpu_time {
	RECORD_TIME_USER,
	RECORD_TIME_NICE,
	RECORD_TIME_SYSTEM,
	RECORD_TIME_SOFTIRQ,
	RECORD_TIME_IRQ,
	RECORD_TIME_IDLE,
	RECORD_TIME_IOWAIT,
	RECORD_TIME_STEAL,
	RECORD_NR_TIMES
};

/* Indices of record_sample.memory_pages: the machine's memory, in pages. */
enum record_memory {
	RECORD_MEMORY_FREE,
	RECORD_MEMORY_ANON,
	RECORD_MEMORY_FILE,
	RECORD_MEMORY_SLAB,
	RECORD_MEMORY_SWAP_FREE,
	RECORD_NR_MEMORY
};

/* Indices of record_sample.rss_pages: the task's resident memory, in pages. */
enum record_rss {
	RECORD_RSS_FILE,
	RECORD_RSS_ANON,
	RECORD_RSS_SWAP,
	RECORD_RSS_SHMEM,
	RECORD_NR_RSS
};

#define RECORD_UNKNOWN	   (~(__u64)0) /* a counter that this kernel does not have */
#define RECORD_UNKNOWN_U32 (~(__u32)0)

struct record_sample {
	__u64 number; /* from 1, counted per CPU, never reused */
	__u64 time_ns;
	__u64 onset_ns; /* the stall it belongs to: the slot's progress_ns then */
	__u32 flags; /* enum record_sample_flags */
	__u32 preempt_count; /* as the hook saw it: its own interrupt is in it; x86's inverted bit is not */
	__u32 nr_running; /* run queue length, the running task included */
	__u32 nr_stack;

	__u64 nr_switches; /* of the CPU, since boot */
	__u64 cpu_time_ns[RECORD_NR_TIMES]; /* of the CPU, since boot */
	__u64 memory_pages[RECORD_NR_MEMORY];

	/* The running task. */
	char comm[16];
	__u32 pid;
	__u32 tgid;
	__u32 ppid;
	__s32 prio; /* the kernel's: 0..99 real-time, 100..139 normal */
	__u32 policy;
	__u32 task_flags; /* PF_... */
	__u32 task_state; /* TASK_...: 0 is running */
	__u32 reserved;
	__u64 task; /* address of its task_struct */
	__u64 start_time_ns;
	__u64 runtime_ns; /* sum_exec_runtime */
	__u64 utime_ns;
	__u64 stime_ns;
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 cgroup_id;
	__u64 rss_pages[RECORD_NR_RSS];

	__u64 regs
		[RECORD_REGS_MAX]; /* struct pt_regs of the interrupted code, as the machine has it */
	/* Return addresses from the hook outwards: the interrupt's own frames come first. */
	__u64 stack[RECORD_STACK_MAX];

	__u64 number_end;
};

struct record_slot {
	__u64 ticks; /* hook calls on this CPU */
	__u64 last_tick_ns;
	__u64 nr_switches; /* rq->nr_switches when it last moved */
	/*
	 * The last look at this CPU that saw it get on: a task switch since the look before, the idle task,
	 * or user mode. Here a stall that comes has its onset.
	 */
	__u64 progress_ns;
	__u64 watchdog_ns; /* last watchdog_timer_fn on this CPU */
	__u64 watchdog_calls;

	/*
	 * The stall that is going on, or was the last: the same onset means the same stall. The sequence is odd
	 * while a new one takes the place of the last.
	 */
	__u64 sequence;
	__u64 onset_ns; /* 0: there was none */
	__u64 last_ns; /* last look that still saw it */
	/*
	 * The look that saw it ended; 0 while it goes on. A CPU that went idle right after it does not tick:
	 * then this comes only with its next interrupt, and meanwhile last_ns stands still.
	 */
	__u64 end_ns;
	__u64 stalls; /* how many since the recorder was loaded */
	__u64 first_number; /* number of its first sample */
	__u64 last_number; /* number of the last sample written on this CPU */
	__u64 next_sample_ns; /* when the next one is due */
	/*
	 * The first look in this stall that saw another task wait for the CPU; 0: none did, and kernel code that
	 * runs for long because nobody else wants the CPU is no lockup.
	 */
	__u64 wanted_ns;

	__u64 reserved[17];
	struct record_sample samples[RECORD_NR_SAMPLES];
};

_Static_assert(sizeof(struct record_header) <= RECORD_SLOT_SIZE, "the header must fit its element");
_Static_assert(sizeof(struct record_header) == 496, "record.h: the header's layout is an ABI");
_Static_assert(sizeof(struct record_sample) == 1328, "record.h: a sample's layout is an ABI");
_Static_assert(sizeof(struct record_slot) == 64000, "record.h: a slot's layout is an ABI");
_Static_assert(__builtin_offsetof(struct record_slot, samples) == 256,
	       "record.h: a slot's layout is an ABI");
_Static_assert(sizeof(struct record_slot) <= RECORD_SLOT_SIZE, "record.h: a slot must fit");

#endif
