// SPDX-License-Identifier: GPL-2.0-only
/* Clocks that stood still at different times before the crash, and what is told from them. */
#include <string.h>

#include "make_kernel.h"
#include "state/scheduling.h"
#include "test.h"

#define SECOND 1000000000ull

/* CPU 0 keeps the time and ticked last at 90 s, CPU 1 at 100 s. CPU 2 is offline. */
static const char made[] =
	"struct rq 4096 clock:u64@64 clock_task:u64@72\n"
	"symbol runqueues 0x2000 A\n"
	"struct clocksource 64 mult:u32@24 shift:u32@28\n"
	"symbol clocksource_jiffies 0xffffffff82a00100 D\n"
	"at clocksource_jiffies+24\n u32 1024000000 8\n"
	"symbol jiffies_64 0xffffffff82a00010 D\n at jiffies_64\n u64 1000\n"
	"symbol tick_do_timer_cpu 0xffffffff82a00020 D\n at tick_do_timer_cpu\n u32 0\n"
	"at 0xffff888010002040\n u64 90000000000 80000000000\n"
	"at 0xffff888020002040\n u64 100000000000 95000000000\n"
	"at 0xffff888030002040\n u64 900000000000 900000000000\n";

static const char timekeeper[] = "struct timespec64 16 tv_sec:u64@0 tv_nsec:u64@8\n"
				 "struct tk_read_base 56 shift:u32@28 xtime_nsec:u64@32\n"
				 "struct timekeeper 128 tkr_mono:tk_read_base@0 xtime_sec:u64@56 "
				 "wall_to_monotonic:timespec64@64 offs_boot:u64@80\n";

/* 1000000090.5 s since 1970, up 90 s, of which it slept 5 s before. */
static const char times[] = "set tk timekeeper.xtime_sec 1000000090\n"
			    "set tk timekeeper.tkr_mono.xtime_nsec 4000000000\n"
			    "set tk timekeeper.tkr_mono.shift 3\n"
			    "set tk timekeeper.wall_to_monotonic.tv_sec 0xffffffffc46535fb\n"
			    "set tk timekeeper.wall_to_monotonic.tv_nsec 500000000\n"
			    "set tk timekeeper.offs_boot 5000000000\n";

struct opened {
	struct make_kernel k;
	struct kernel *kernel;
	struct cpus cpus;
	struct dmesg dmesg;
	struct clocks clocks;
};

static void open_clocks(struct opened *o, const char *change, uint64_t logged_ns)
{
	memset(o, 0, sizeof(*o));
	make_kernel_init(&o->k);
	make_kernel_text(&o->k, made_kernel_minimum);
	make_kernel_text(&o->k, made);
	make_kernel_text(&o->k, timekeeper);
	make_kernel_text(&o->k, change);
	o->kernel = make_kernel_open(&o->k);
	for (uint32_t i = 0; i < 3; i++)
		*vector_push(&o->cpus.list) = (struct cpu){
			.number = i,
			.online = i < 2,
			.per_cpu = 0xffff888010000000 + i * 0x10000000ull,
		};
	if (logged_ns)
		*vector_push(&o->dmesg.lines) = (struct dmesg_line){ .t_ns = logged_ns };
	clocks_init(&o->clocks, o->kernel, &o->cpus, &o->dmesg);
}

static void close_clocks(struct opened *o)
{
	clocks_deinit(&o->clocks);
	vector_deinit(&o->dmesg.lines);
	cpus_deinit(&o->cpus);
	kernel_close(o->kernel);
	make_kernel_deinit(&o->k);
}

static void the_newest_stamp_is_the_crash(void **state)
{
	static const struct {
		uint64_t logged, now;
	} cases[] = {
		{ 0, 100 * SECOND }, /* no log */
		{ 99 * SECOND, 100 * SECOND },
		{ 120 * SECOND, 120 * SECOND }, /* all CPUs were deaf by then */
		{ UINT64_MAX, 100 * SECOND }, /* nonsense */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		open_clocks(&o, "", cases[i].logged);
		assert_int_equal(o.clocks.now_ns, cases[i].now);
		close_clocks(&o);
	}
}

static void clocks_of_the_tick_are_put_forward(void **state)
{
	struct opened o;

	(void)state;
	open_clocks(&o, "", 0);
	assert_int_equal(o.clocks.jiffy_ns, 4000000);
	assert_int_equal(o.clocks.jiffies, 1000 + 2500);
	assert_int_equal(clocks_since_jiffies(&o.clocks, 3250), SECOND);
	assert_int_equal(clocks_since_jiffies(&o.clocks, 4000), 0);
	assert_int_equal(o.clocks.boottime_ns, CLOCK_UNKNOWN); /* no timekeeper */
	close_clocks(&o);
	/* Nobody keeps the time: whoever ticked last. */
	open_clocks(&o, "at tick_do_timer_cpu\n u32 0xffffffff\n", 0);
	assert_int_equal(o.clocks.jiffies, 1000);
	close_clocks(&o);
	open_clocks(&o, "at clocksource_jiffies+24\n u32 255 8\n", 0);
	assert_int_equal(clocks_since_jiffies(&o.clocks, 1), CLOCK_UNKNOWN);
	close_clocks(&o);
}

static void the_timekeeper_of_each_kernel(void **state)
{
	static const char *const places[] = {
		"symbol shadow_timekeeper 0xffffffff82b00000 D\n symbol tk 0xffffffff82b00000 D\n", /* up to 6.12 */
		"struct tk_data 512 timekeeper:timekeeper@8\n"
		"symbol tk_core 0xffffffff82b00000 D\n symbol tk 0xffffffff82b00008 D\n", /* 6.13 */
		"struct tk_data 512 timekeeper:timekeeper@8\n"
		"symbol timekeeper_data 0xffffffff82b00000 D\n symbol tk 0xffffffff82b00008 D\n", /* 7.2 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char text[1024];
		struct opened o;
		snprintf(text, sizeof(text), "%s%s", places[i], times);
		open_clocks(&o, text, 0);
		/* 10 s behind, like CPU 0's run queue. */
		assert_int_equal(o.clocks.monotonic_ns, 96 * SECOND);
		assert_int_equal(o.clocks.boottime_ns, 101 * SECOND);
		close_clocks(&o);
	}
}

/* CPU 1 woke up from idle 2 s before the crash, and looked after the timekeeper when the hung CPU 0 did not. */
static void the_timekeeper_may_be_ahead_of_its_cpu(void **state)
{
	static const struct {
		const char *offset;
		uint64_t boottime_s;
	} cases[] = {
		{ "12000000000",
		  93 }, /* 100 - 12 = 88 on CLOCK_MONOTONIC, and 86 at the last update */
		{ "0", 101 }, /* it drifted: not more than CPU 0 was behind */
		{ "20000000000", 91 }, /* nor less than nothing */
		{ "0xffffffffffffffff", 101 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];
		struct opened o;
		snprintf(
			text, sizeof(text),
			"symbol shadow_timekeeper 0xffffffff82b00000 D\n symbol tk 0xffffffff82b00000 D\n"
			"%ssymbol __gtod_offset 0xffffffff82b00100 D\n at __gtod_offset\n u64 %s\n",
			times, cases[i].offset);
		open_clocks(&o, text, 0);
		assert_int_equal(o.clocks.boottime_ns, cases[i].boottime_s * SECOND);
		close_clocks(&o);
	}
}

static void how_long_a_task_has_not_run(void **state)
{
	static const struct {
		struct scheduling scheduling;
		uint64_t cpu, waits;
	} cases[] = {
		/* Sleeps, by the task clock of its CPU, which is 10 s and 5 s behind at its last tick. */
		{ { .ran_ns = 70 * SECOND, .arrived_ns = 60 * SECOND }, 0, 20 * SECOND },
		{ { .ran_ns = 70 * SECOND, .arrived_ns = 60 * SECOND }, 1, 25 * SECOND },
		{ { .ran_ns = 96 * SECOND }, 1, 0 }, /* later than the clock: just now */
		/* Waits for a CPU. */
		{ { .queued = true, .queued_ns = 88 * SECOND, .ran_ns = SECOND }, 0, 12 * SECOND },
		/* Moved to another CPU, which resets ran_ns. */
		{ { .arrived_ns = 40 * SECOND }, 0, 60 * SECOND },
		{ { .queued = true }, 0, CLOCK_UNKNOWN }, /* never ran */
		{ { .ran_ns = SECOND }, 9, CLOCK_UNKNOWN }, /* no such CPU */
	};
	struct opened o;

	(void)state;
	open_clocks(&o, "", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (scheduling_wait_ns(&cases[i].scheduling, &o.clocks, cases[i].cpu) !=
		    cases[i].waits)
			fail_msg("case %zu: %llu", i,
				 (unsigned long long)scheduling_wait_ns(&cases[i].scheduling,
									&o.clocks, cases[i].cpu));
	close_clocks(&o);
}

static void without_run_queues(void **state)
{
	struct opened o;

	(void)state;
	open_clocks(&o, "exclude 0xffff888010002040\n exclude 0xffff888020002040\n", 0);
	assert_int_equal(o.clocks.now_ns, CLOCK_UNKNOWN);
	assert_int_equal(clocks_since(&o.clocks, 1), CLOCK_UNKNOWN);
	assert_int_equal(clocks_since_task_clock(&o.clocks, 0, 1), CLOCK_UNKNOWN);
	close_clocks(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the newest time stamp is the time of the crash",
		     the_newest_stamp_is_the_crash),
		TEST("clocks that the tick looks after are put forward to the crash",
		     clocks_of_the_tick_are_put_forward),
		TEST("the timekeeper is found in each kernel's place",
		     the_timekeeper_of_each_kernel),
		TEST("the timekeeper may be ahead of the CPU that has to look after it",
		     the_timekeeper_may_be_ahead_of_its_cpu),
		TEST("a task has not run since it slept, or since it waits for a CPU",
		     how_long_a_task_has_not_run),
		TEST("without run queues no time is known", without_run_queues),
	};
	return RUN_TESTS(tests);
}
