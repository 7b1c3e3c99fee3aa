// SPDX-License-Identifier: GPL-2.0-only
/* What two CPUs had on their hands: CPU 0 is well, CPU 1 hangs for 12 s with its interrupts on. */
#include <string.h>

#include "make_kernel.h"
#include "state/cpu_state.h"
#include "test.h"

#define SECOND 1000000000ull
#define CPU_0  0xffff888010000000ull
#define CPU_1  0xffff888020000000ull

enum { INIT, HOG, WORKER, STOPPER, SLEEPER, NR_TASKS };

/* As 6.1 has it. At the crash it is 100 s on each clock; jiffies, of 4 ms each, are 25000. */
static const char made[] =
	"struct thread_info 24 flags:u64@0\n"
	"struct task_struct 1024 thread_info:thread_info@0 rss:u64@32\n"
	"struct kernel_cpustat 80 cpustat:u64[10]@0\n"
	"struct timer_base 128 next_expiry:u64@24\n"
	"struct hrtimer_cpu_base 64 hres_active:u8@12 expires_next:u64@16\n"
	"struct rcu_state 64 gp_seq:u64@0 gp_start:u64@8\n"
	"struct rcu_data 64 mynode:ptr@0 grpmask:u64@8\n"
	"struct rcu_node 64 qsmask:u64@8\n"
	"symbol __preempt_count 0x2000 A\n symbol irq_stat 0x2008 A\n symbol kernel_cpustat 0x2010 A\n"
	"symbol watchdog_touch_ts 0x2100 A\n symbol watchdog_report_ts 0x2108 A\n"
	"symbol timer_bases 0x2200 A\n symbol hrtimer_bases 0x2300 A\n symbol rcu_data 0x2400 A\n"
	"symbol watchdog_thresh 0xffffffff82900000 D\n at watchdog_thresh\n u32 4\n"
	"symbol watchdog_enabled 0xffffffff82900008 D\n at watchdog_enabled\n u64 3\n"
	"symbol crashing_cpu 0xffffffff82900010 D\n at crashing_cpu\n u32 0\n"
	"symbol rcu_state 0xffffffff82900100 D\n at rcu_state\n u64 5 22000\n"
	"symbol rcu_leaf 0xffffffff82900200 D\n set rcu_leaf rcu_node.qsmask 2\n"
	"symbol rt_sched_class 0xffffffff82900300 D\n symbol dl_sched_class 0xffffffff82900400 D\n"
	"symbol other 0xffffffff82900500 D\n"
	/* CPU 0: stamps of 92 * 2^30 ns; a timer that is deferrable is late, which is its right. */
	"at 0xffff888010002000\n u32 0x80000001 0\n u16 0\n"
	"at 0xffff888010002010\n u64 1 2 3 4 5 6 7 8 9 10\n at 0xffff888010002100\n u64 92 92\n"
	"at 0xffff888010002218\n u64 25010\n at 0xffff888010002298\n u64 20000\n"
	"at 0xffff888010002308\n u64 0x100000000 100001000000\n at 0xffff888010002400\n u64 rcu_leaf 1\n"
	/* CPU 1, which an NMI stopped in a softirq */
	"at 0xffff888020002000\n u32 0x80110102 0\n u16 0x202\n"
	"at 0xffff888020002010\n fill 80 0\n at 0xffff888020002100\n u64 82 0xffffffffffffffff\n"
	"at 0xffff888020002218\n u64 24500\n at 0xffff888020002298\n u64 25000\n"
	"at 0xffff888020002308\n u64 0x100000000 99000000000\n at 0xffff888020002400\n u64 rcu_leaf 2\n"
	/* The tasks' flags: HOG's has TIF_NEED_RESCHED. */
	"at 0xffff888000000000\n u64 0x10\n at 0xffff888000001000\n u64 8\n";

struct opened {
	struct make_kernel k;
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
	struct clocks clocks;
	struct cpu_states states;
};

static void add_task(struct opened *o, uint32_t pid, uint32_t cpu, int priority, uint64_t arrived_s,
		     uint64_t wait_ns)
{
	uint64_t address = 0xffff888000000000 + o->tasks.list.count * 0x1000;

	*vector_push(&o->tasks.list) = (struct task){
		.address = address,
		.pid = pid,
		.tgid = pid,
		.cpu = cpu,
		.running = wait_ns == CLOCK_UNKNOWN,
		.wait_ns = wait_ns,
		.scheduling = { .queued = true,
				.priority = priority,
				.arrived_ns = arrived_s * SECOND },
	};
	size_t last = o->tasks.list.count - 1;
	assert_true(address_map_put(&o->tasks.index, o->tasks.list.data[last].address, last));
}

/* Everything but the states. */
static void open_cpus(struct opened *o, const char *change)
{
	memset(o, 0, sizeof(*o));
	make_kernel_init(&o->k);
	make_kernel_text(&o->k, made_kernel_minimum);
	make_kernel_text(&o->k, made);
	make_kernel_text(&o->k, change);
	o->kernel = make_kernel_open(&o->k);
	for (uint32_t i = 0; i < 3; i++)
		*vector_push(&o->cpus.list) = (struct cpu){
			.number = i,
			.online = i < 2,
			.per_cpu = CPU_0 + i * (CPU_1 - CPU_0),
			.current = i < 2 ? 0xffff888000000000 + i * 0x1000 : 0,
			.registers_from = REGISTERS_CRASH_NOTES,
		};
	add_task(o, 1, 0, 120, 99, CLOCK_UNKNOWN); /* INIT */
	add_task(o, 2, 1, 120, 88, CLOCK_UNKNOWN); /* HOG */
	add_task(o, 3, 1, 120, 50, 11 * SECOND); /* WORKER */
	add_task(o, 4, 1, 0, 80, 8 * SECOND); /* STOPPER */
	add_task(o, 5, 1, 120, 10, 90 * SECOND); /* SLEEPER */
	o->tasks.list.data[SLEEPER].scheduling.queued = false;
	o->clocks = (struct clocks){
		.now_ns = 100 * SECOND,
		.monotonic_ns = 100 * SECOND,
		.boottime_ns = 100 * SECOND,
		.jiffies = 25000,
		.jiffy_ns = 4000000,
	};
}

static void read_states(struct opened *o)
{
	cpu_states_init(&o->states, o->kernel, &o->cpus, &o->tasks, &o->clocks);
	assert_int_equal(o->states.list.count, 3);
}

static void open_states(struct opened *o, const char *change)
{
	open_cpus(o, change);
	read_states(o);
}

static void close_states(struct opened *o)
{
	cpu_states_deinit(&o->states);
	tasks_deinit(&o->tasks);
	vector_deinit(&o->cpus.list);
	kernel_close(o->kernel);
	make_kernel_deinit(&o->k);
}

static void one_is_well_one_hangs(void **state)
{
	struct opened o;

	(void)state;
	open_states(&o, "");
	const struct cpu_state *well = &o.states.list.data[0], *hung = &o.states.list.data[1];
	const struct cpu_state *offline = &o.states.list.data[2];
	assert_int_equal(well->waiting.count, 0);
	assert_int_equal(well->running_ns, SECOND);
	assert_int_equal(well->stuck_ns, CLOCK_UNKNOWN);
	assert_true(well->has_need_resched && !well->need_resched);
	assert_int_equal(well->times[CPU_TIME_USER], 1);
	assert_int_equal(well->times[CPU_TIME_GUEST_NICE], 10);
	assert_int_equal(well->timer_late_ns, 0);
	assert_int_equal(well->hrtimer_late_ns, 0);
	assert_false(well->holds_up_rcu);

	assert_int_equal(hung->waiting.count, 2);
	assert_int_equal(hung->waiting.data[0]->pid, 4); /* the stopper goes first */
	assert_int_equal(hung->waiting.data[1]->pid, 3);
	assert_int_equal(hung->running_ns, 12 * SECOND);
	assert_int_equal(hung->stuck_ns, 12 * SECOND);
	assert_true(hung->need_resched);
	assert_int_equal(hung->softirqs, 0x202);
	assert_int_equal(hung->timer_late_ns, 2 * SECOND);
	assert_int_equal(hung->hrtimer_late_ns, SECOND);
	assert_true(hung->holds_up_rcu);
	assert_int_equal(o.states.grace_period_ns, 12 * SECOND);

	assert_false(offline->has_preempt_count || offline->has_times || offline->has_softirqs);
	assert_int_equal(offline->timer_late_ns, CLOCK_UNKNOWN);
	close_states(&o);
	/* Without high resolution what is due next is not kept. */
	open_states(&o, "at 0xffff888020002308\n u64 0\n");
	assert_int_equal(o.states.list.data[1].hrtimer_late_ns, CLOCK_UNKNOWN);
	close_states(&o);
}

static void the_crashs_own_nmi_is_not_counted(void **state)
{
	struct opened o;

	(void)state;
	open_states(&o, "");
	struct preempt_parts parts = cpu_preempt_parts(o.states.list.data[1].preempt_count);
	assert_int_equal(parts.preempt, 2);
	assert_int_equal(parts.softirq, 1);
	assert_int_equal(parts.hardirq, 0);
	assert_int_equal(parts.nmi, 0);
	close_states(&o);
	/* The CPU that crashed in an NMI was in it by itself. */
	open_states(&o, "at crashing_cpu\n u32 1\n");
	assert_int_equal(o.states.list.data[1].preempt_count, 0x110102);
	close_states(&o);
}

/* CPU 1's timers are 10 s late. That it panicked, on a slow console, may be why. */
static void a_panic_takes_no_interrupts(void **state)
{
	static const struct {
		const char *panic_cpu;
		enum frame_section section;
		uint64_t deaf_ns;
	} cases[] = {
		{ "0xffffffff", SECTION_IRQ, 10 * SECOND }, { "0", SECTION_IRQ, 10 * SECOND },
		{ "1", SECTION_TASK, CLOCK_UNKNOWN },	    { "1", SECTION_IRQ, CLOCK_UNKNOWN },
		{ "1", SECTION_NMI, 10 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		char change[256];
		snprintf(change, sizeof(change),
			 "at 0xffff888020002308\n u64 0x100000000 90000000000\n"
			 "symbol panic_cpu 0xffffffff82900600 D\n at panic_cpu\n u32 %s\n",
			 cases[i].panic_cpu);
		open_cpus(&o, change);
		*vector_push(&o.tasks.list.data[HOG].stack.frames) =
			(struct frame){ .section = cases[i].section };
		read_states(&o);
		if (cpu_state_deaf_ns(&o.states.list.data[1]) != cases[i].deaf_ns)
			fail_msg("case %zu", i);
		close_states(&o);
	}
}

/* The watchdog's stamps count in 2^30 ns. */
static void the_watchdogs_stamps(void **state)
{
	struct opened o;

	(void)state;
	open_states(&o, "");
	assert_int_equal(o.states.watchdog_thresh_s, 4);
	assert_int_equal(o.states.list.data[0].watchdog_scheduled_ns, 100 * SECOND - (92ull << 30));
	assert_int_equal(o.states.list.data[1].watchdog_scheduled_ns, 100 * SECOND - (82ull << 30));
	/* Somebody asked it to look away. */
	assert_int_equal(o.states.list.data[1].watchdog_report_ns, CLOCK_UNKNOWN);
	close_states(&o);
	open_states(&o, "at watchdog_enabled\n u64 1\n");
	assert_int_equal(o.states.watchdog_thresh_s, 0);
	close_states(&o);
}

static void what_counts_as_stuck(void **state)
{
	static const struct {
		const char *what, *change;
		uint64_t hog_arrived_s, worker_waits_s, stuck_ns;
		int16_t hog_priority;
	} cases[] = {
		{ "a task waits", "at watchdog_enabled\n u64 0\n", 88, 11, 12 * SECOND, 120 },
		{ "nobody waits for long", "at watchdog_enabled\n u64 0\n", 88, 9, CLOCK_UNKNOWN,
		  120 },
		{ "it was switched meanwhile", "", 95, 11, CLOCK_UNKNOWN, 120 },
		{ "real time need not give way", "at watchdog_enabled\n u64 0\n", 88, 11,
		  CLOCK_UNKNOWN, 50 },
		{ "the watchdog's job goes before real time", "", 88, 0, 12 * SECOND, 50 },
		{ "the watchdog ran lately", "at 0xffff888020002100\n u64 92\n", 88, 0,
		  CLOCK_UNKNOWN, 120 },
		{ "the watchdog may take its time", "at watchdog_thresh\n u32 30\n", 40, 0,
		  CLOCK_UNKNOWN, 120 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		open_cpus(&o, cases[i].change);
		o.tasks.list.data[HOG].scheduling.arrived_ns = cases[i].hog_arrived_s * SECOND;
		o.tasks.list.data[HOG].scheduling.priority = cases[i].hog_priority;
		o.tasks.list.data[WORKER].wait_ns = cases[i].worker_waits_s * SECOND;
		o.tasks.list.data[STOPPER].scheduling.queued = false;
		read_states(&o);
		if (o.states.list.data[1].stuck_ns != cases[i].stuck_ns)
			fail_msg("%s: %llu", cases[i].what,
				 (unsigned long long)o.states.list.data[1].stuck_ns);
		close_states(&o);
	}
}

static void where_other_kernels_have_it(void **state)
{
	/* 6.2 to 6.14: pcpu_hot; 7.2: __softirq_pending, other numbers of the flags, idle times before cpustat. */
	static const char hot[] = "struct pcpu_hot 64 preempt_count:u32@8 softirq_pending:u16@16\n"
				  "symbol pcpu_hot 0x2500 A\n"
				  "at 0xffff888010002508\n u32 0x80000007 0\n u16 0x8\n";
	static const char last[] =
		"struct ns_common 32 ns_id:u64@0\n"
		"symbol __softirq_pending 0x2600 A\n at 0xffff888010002600\n u16 0x1\n";
	struct opened o;

	(void)state;
	open_states(&o, hot);
	assert_int_equal(o.states.list.data[0].preempt_count, 7);
	assert_int_equal(o.states.list.data[0].softirqs, 8);
	close_states(&o);
	open_states(&o, last);
	assert_int_equal(o.states.list.data[0].preempt_count, 1);
	assert_int_equal(o.states.list.data[0].softirqs, 1);
	assert_true(o.states.list.data[0].need_resched);
	assert_false(o.states.list.data[1].need_resched); /* 8 is another flag's there */
	assert_false(o.states.list.data[0].need_resched_lazy);
	close_states(&o);
	open_states(&o, "struct ns_common 32 ns_id:u64@0\n at 0xffff888000001000\n u64 0x20\n");
	assert_true(o.states.list.data[1].need_resched_lazy);
	close_states(&o);
	/* The preempt count has it too: the bit is 0 if so. */
	open_states(&o, "at 0xffff888000001000\n u64 0\n at 0xffff888020002000\n u32 1\n");
	assert_true(o.states.list.data[1].need_resched);
	close_states(&o);
}

static void damage_costs_only_what_it_hits(void **state)
{
	static const char *const changes[] = {
		"exclude 0xffff888020002000\n",
		"exclude 0xffff888000001000\n",
		"exclude rcu_leaf\n",
		"at 0xffff888020002400\n u64 0x10 2\n",
		"at watchdog_thresh\n u32 0xffffffff\n",
		"at 0xffff888020002100\n u64 0x7fffffffffffffff\n",
		"at 0xffff888020002218\n u64 0\n",
		"at rcu_state\n u64 0xffffffffffffffff 0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct opened o;
		open_states(&o, changes[i]);
		assert_true(o.states.list.data[0].has_times);
		assert_int_equal(o.states.list.data[1].running_ns, 12 * SECOND);
		assert_int_equal(o.states.list.data[1].waiting.count, 2);
		close_states(&o);
	}
}

static void names(void **state)
{
	struct opened o;
	struct scheduling s = { .class = 0xffffffff82900300, .policy = 1 };

	(void)state;
	open_states(&o, "");
	assert_string_equal(scheduling_class(o.kernel, &s), "rt");
	assert_string_equal(scheduling_policy(&s), "SCHED_FIFO");
	s.class = 0xffffffff82900400;
	assert_string_equal(scheduling_class(o.kernel, &s), "deadline");
	s.class = 0xffffffff82900401; /* in a class, but none */
	assert_null(scheduling_class(o.kernel, &s));
	s.class = 0xffffffff82900500;
	s.policy = 4;
	assert_null(scheduling_class(o.kernel, &s));
	assert_null(scheduling_policy(&s));
	s.policy = 255;
	assert_null(scheduling_policy(&s));
	assert_string_equal(cpu_softirq_name(9), "RCU");
	assert_null(cpu_softirq_name(10));
	close_states(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a CPU that is well, one that hangs, one that is offline",
		     one_is_well_one_hangs),
		TEST("the NMI by which the crash stopped a CPU is not counted",
		     the_crashs_own_nmi_is_not_counted),
		TEST("a CPU that panicked is not called deaf for that, but in an NMI it is",
		     a_panic_takes_no_interrupts),
		TEST("the watchdog's stamps count in 2^30 ns", the_watchdogs_stamps),
		TEST("a CPU is stuck if it does not give way", what_counts_as_stuck),
		TEST("other kernels have it elsewhere", where_other_kernels_have_it),
		TEST("damage costs only what it hits", damage_costs_only_what_it_hits),
		TEST("classes, policies and softirqs have names", names),
	};
	return RUN_TESTS(tests);
}
