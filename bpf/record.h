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
 *	element 0		struct record_header, written by user space, and by the kernel's trigger
 *	element 1 + cpu		struct record_slot, written on that CPU only
 *
 * A stall is a span in which a CPU neither switched tasks nor idled nor ran user
 * code. It is known from its first sample on, sample_first_ns after its onset.
 *
 * A slot has RECORD_NR_SAMPLES places, which record_place() gives out. The first
 * RECORD_NR_ONSET samples of a stall stay: half of them are four times as dense
 * as the rest. Of those that follow, seven of eight go round the ring of
 * RECORD_NR_RING, which so has all of the stall's last 50 intervals. Each eighth
 * is kept for longer: by how often its number (among these) can be halved it goes
 * to one of RECORD_NR_LEVELS rings of RECORD_NR_EACH, so that the further back,
 * the wider apart they are. With an interval of a second there are, after ten
 * minutes: the first 10 s, the last 50 s, four samples 16 s apart, four 32 s apart,
 * and so on, up to four that are 1024 s apart. Samples of earlier stalls lie
 * between: onset_ns tells which stall a sample belongs to.
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
#define RECORD_ABI	2
#define RECORD_MAP_NAME "lockdump_record"

/* A slot of 128 KB: 512 CPUs take 64 MB. */
#define RECORD_SLOT_SIZE     131072
#define RECORD_NR_ONSET	     16
#define RECORD_NR_RING	     45
#define RECORD_NR_LEVELS     7
#define RECORD_NR_EACH	     4
#define RECORD_NR_SAMPLES    (RECORD_NR_ONSET + RECORD_NR_RING + RECORD_NR_LEVELS * RECORD_NR_EACH)
#define RECORD_NR_DENSE	     8 /* of the onset's: that many are a quarter of the interval apart */
#define RECORD_STACK_MAX     76
#define RECORD_REGS_MAX	     40
#define RECORD_NR_SOFTIRQS   10
#define RECORD_NR_EVENTS     32
#define RECORD_NR_HITS	     40
#define RECORD_NR_PROBES     16
#define RECORD_NR_CONTEXTS   4
#define RECORD_NR_NEIGHBOURS 16
#define RECORD_NR_DEAF	     4
#define RECORD_LOCK_STACK    24

/* The place of a stall's @n-th sample, from 0. */
static inline __attribute__((always_inline)) __u32 record_place(__u64 n)
{
	if (n < RECORD_NR_ONSET)
		return n;
	n -= RECORD_NR_ONSET;
	if (n % 8 != 7)
		return RECORD_NR_ONSET + (n - n / 8) % RECORD_NR_RING;
	__u32 level = 0;
	for (n = n / 8 + 1; level < RECORD_NR_LEVELS - 1 && !(n & 1); level++)
		n >>= 1;
	if (level < RECORD_NR_LEVELS - 1)
		n >>= 1;
	return RECORD_NR_ONSET + RECORD_NR_RING + level * RECORD_NR_EACH + n % RECORD_NR_EACH;
}

/* How long a stall has lasted at @until_ns: what the machine did not run of it does not count. */
static inline __attribute__((always_inline)) __u64 record_stall_ns(__u64 onset_ns, __u64 until_ns,
								   __u64 paused_ns)
{
	__u64 span = until_ns > onset_ns ? until_ns - onset_ns : 0;

	return span > paused_ns ? span - paused_ns : 0;
}

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
	RECORD_KIND_SOFT_LOCKUP, /* a stall, in the slot itself */
	RECORD_KIND_HARD_LOCKUP, /* a CPU takes no interrupts: its neighbour has it in struct record_deaf */
	RECORD_KIND_RCU_STALL, /* a grace period does not end */
	RECORD_KIND_HUNG_TASK, /* the kernel's own detector says so */
	RECORD_KIND_WORKQUEUE_STALL, /* a worker pool of this CPU has work that nobody takes */
	RECORD_KIND_IRQ_STORM, /* the CPU's time goes to interrupts */
	RECORD_KIND_SOFTIRQ_STORM,
	RECORD_KIND_NEED_RESCHED, /* in a stall: asked to leave the CPU, and does not */
	RECORD_NR_KINDS
};

/* How they are said, before "for 12.000 s", by whoever triggers; at most 31 characters. Initializes an array. */
#define RECORD_KINDS_SAID                                                       \
	{                                                                       \
		[RECORD_KIND_SOFT_LOCKUP] = "no task switch",                   \
		[RECORD_KIND_HARD_LOCKUP] = "no interrupts taken",              \
		[RECORD_KIND_RCU_STALL] = "no end of an RCU grace period",      \
		[RECORD_KIND_HUNG_TASK] = "a hung task",                        \
		[RECORD_KIND_WORKQUEUE_STALL] = "no progress of a worker pool", \
		[RECORD_KIND_IRQ_STORM] = "a storm of interrupts",              \
		[RECORD_KIND_SOFTIRQ_STORM] = "a storm of softirqs",            \
		[RECORD_KIND_NEED_RESCHED] = "need_resched not served",         \
	}

struct record_header {
	__u8 magic[8]; /* last to come and first to go: without it the rest is none */
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

	/*
	 * The three clocks at the start, so that they are right for what comes next: the latter two move when the wall
	 * clock is set, or the machine has slept.
	 */
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
	__u32 drill; /* 1: the kernel's own trigger is asked to fire, though nothing hangs */
	__u64 sysrq_ns; /* when the controller last wrote to /proc/sysrq-trigger; 0: never */
	/* When the kernel's own trigger found no crash kernel to start, and gave up on what hung then; 0: never. */
	__u64 kernel_failed_ns;
	char probes[RECORD_NR_PROBES][48]; /* the functions of --probe; hits have their index */
};

enum record_resched {
	RECORD_RESCHED_NOW = 1 << 0,
	RECORD_RESCHED_LAZY = 1 << 1, /* when it suits: kernels with PREEMPT_LAZY */
};

/*
 * What can be wrong with a machine besides a stall and a deaf CPU. Each CPU looks for it once a second, and
 * believes it when it sees it twice.
 */
struct record_condition {
	__u64 since_ns; /* 0: all is well */
	__u64 last_ns; /* last look that saw it; 0: only one has */
	/*
	 * RCU stall: the grace period's number. Hung task: the task_struct, its pid. Workqueue stall: the pool, 0 or
	 * 1 for the one of high priority. Storm: percent of the time, how many a second. need_resched: enum
	 * record_resched.
	 */
	__u64 words[2];
};

enum record_event_kind {
	RECORD_EVENT_CONDITION, /* has lasted for its threshold; words: enum record_kind, its first word */
	RECORD_EVENT_CONDITION_END, /* after such; words: its kind */
	RECORD_EVENT_DEAF, /* cpu takes no interrupts */
	RECORD_EVENT_DEAF_END,
	RECORD_EVENT_PAUSE, /* nothing ran from since_ns to time_ns */
};

/* What happened besides samples. Numbered and torn like these; a place that was never written has the number 0. */
struct record_event {
	__u64 number;
	__u64 time_ns;
	__u64 since_ns;
	__u32 kind; /* enum record_event_kind */
	__s32 cpu; /* that it is about; -1: none */
	__u32 pid;
	__u32 reserved;
	char comm[16];
	__u64 words[2];
	__u64 number_end;
};

/* A call of a function that --probe named. */
struct record_hit {
	__u64 number;
	__u64 time_ns;
	__u64 args[3];
	__u64 caller; /* return address; 0: not known */
	__u32 probe; /* index into the header's probes */
	__u32 pid;
	__u32 tgid;
	__u32 reserved;
	char comm[16];
	__u64 number_end;
};

enum record_lock_flags { /* neither: a spinlock */
			 RECORD_LOCK_READ = 1 << 1,
			 RECORD_LOCK_WRITE = 1 << 2,
};

/*
 * The last lock that was spun for in one context of a CPU: task, softirq, interrupt, NMI, in this order. It may have
 * been taken since.
 */
struct record_contention {
	__u64 lock; /* address; 0: none */
	__u64 since_ns;
	__u32 flags; /* enum record_lock_flags */
	__u32 pid;
	/*
	 * Where it was asked for, if that came at a time when it could be taken (bpf/contention.h): it belongs to
	 * this lock only if the two times are equal.
	 */
	__u64 stack_ns;
	__u64 nr_stack;
	__u64 stack[RECORD_LOCK_STACK];
};

/* Another CPU at the onset of this one's stall. */
struct record_neighbour {
	__u32 cpu;
	__u32 pid; /* of its running task; 0: idle */
	char comm[16];
	__u64 task;
	__u32 nr_running;
	__u32 online; /* 0: it was not; the rest is nothing then */
	__u64 nr_switches;
	__u64 tick_ns; /* last look at it by itself */
};

/* Another CPU that takes no interrupts: its timers are overdue. */
struct record_deaf {
	__u32 cpu;
	__u32 pid; /* its running task */
	__u64 since_ns; /* when the first timer was due that it did not serve; 0: this place is free */
	__u64 last_ns; /* last look that saw it; 0: only one has */
	__u64 task;
	char comm[16];
};

enum record_sample_flags {
	RECORD_SAMPLE_REGS = 1 << 0, /* regs[] holds the interrupted registers */
	RECORD_SAMPLE_NEED_RESCHED = 1 << 1, /* the task was asked to leave the CPU */
	RECORD_SAMPLE_NEED_RESCHED_LAZY = 1 << 3, /* asked to leave it when it suits */
	RECORD_SAMPLE_NMI = 1 << 4, /* taken by an NMI: interrupts were off */
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
	__u64 thread_flags; /* struct thread_info's, as this kernel numbers them */

	/* The CPU's, since boot. */
	__u64 nr_irqs;
	__u64 nr_softirqs[RECORD_NR_SOFTIRQS];

	/* The lock that the interrupted code spins for; 0: none, or not known. */
	__u64 lock;
	__u64 lock_since_ns;

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

	__u64 paused_ns; /* of this stall's time, in which the whole machine did not run: it does not count */
	__u64 switch_ns; /* the last task switch before this stall, to the nanosecond; 0: not known */

	/* Rounds: once a second a CPU looks around. */
	__u64 round_ns; /* the last */
	__u64 irq_ns, softirq_ns, nr_irqs, nr_softirqs; /* then, since boot */
	__u64 rcu_sequence; /* then */
	__u64 pool_progress
		[2]; /* when the CPU's worker pools had last got on, then, in their unit */
	__u64 last_event; /* numbers of the last ones written */
	__u64 last_hit;
	__u64 nmi_ns; /* the last sample that an NMI took */
	__u64 lock_stack_next_ns; /* before that no lock's stack is taken */
	/* The last time that this CPU was not looked at for more than a second: it was idle, deaf, or paused. */
	__u64 gap_since_ns, gap_until_ns;
	/* Of the last such time of this CPU: when no other was looked at either. Not a pause if it is short or empty. */
	__u64 pause_since_ns, pause_until_ns;
	__u64 resumed_ns; /* when the machine ran again, the last time that this CPU's watchdog saw that it had not */
	/* The first of the last NMIs that found interrupts off, with no task switch between them, and its nr_switches. */
	__u64 nmi_seen_ns, nmi_switches;
	__u64 reserved[11];

	struct record_condition conditions[RECORD_NR_KINDS];
	struct record_deaf deaf[RECORD_NR_DEAF];
	struct record_contention locks[RECORD_NR_CONTEXTS];
	struct record_neighbour neighbours[RECORD_NR_NEIGHBOURS]; /* of the last stall */
	struct record_event events[RECORD_NR_EVENTS];
	struct record_hit hits[RECORD_NR_HITS];
	struct record_sample samples[RECORD_NR_SAMPLES];
};

_Static_assert(sizeof(struct record_header) <= RECORD_SLOT_SIZE, "the header must fit its element");
_Static_assert(sizeof(struct record_header) == 1264, "record.h: the header's layout is an ABI");
_Static_assert(sizeof(struct record_event) == 80, "record.h: an event's layout is an ABI");
_Static_assert(sizeof(struct record_hit) == 88, "record.h: a hit's layout is an ABI");
_Static_assert(sizeof(struct record_contention) == 232, "record.h: a lock's layout is an ABI");
_Static_assert(sizeof(struct record_neighbour) == 56, "record.h: a neighbour's layout is an ABI");
_Static_assert(sizeof(struct record_deaf) == 48, "record.h: a deaf CPU's layout is an ABI");
_Static_assert(sizeof(struct record_sample) == 1344, "record.h: a sample's layout is an ABI");
_Static_assert(__builtin_offsetof(struct record_slot, samples) == 8728,
	       "record.h: a slot's layout is an ABI");
_Static_assert(sizeof(struct record_slot) == 128344, "record.h: a slot's layout is an ABI");
_Static_assert(sizeof(struct record_slot) <= RECORD_SLOT_SIZE, "record.h: a slot must fit");

#ifdef __bpf__
/* Never read: by them the types are in an object's BTF, where tests/unit/test_record_layout.c finds them. */
const struct record_header *const volatile record_header_type = 0;
const struct record_slot *const volatile record_slot_type = 0;
#endif

#endif
