// SPDX-License-Identifier: GPL-2.0-only
/* The time line: the record's clock and the log's, put together at the crash. */
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "verdict/timeline.h"
#include "verdict/verdict.h"
#include "make_dump.h"

#define SECOND 1000000000ull

static struct record make_record(uint32_t nr_slots)
{
	struct record ret = { .size = (size_t)(nr_slots + 1) * RECORD_SLOT_SIZE };

	ret.data = calloc(1, ret.size);
	assert_non_null(ret.data);
	struct record_header *header = ret.data;
	header->nr_slots = nr_slots;
	header->sample_interval_ns = SECOND;
	ret.header = header;
	return ret;
}

static struct record_header *header_of(struct record *record)
{
	return record->data;
}

static struct record_slot *slot_of(struct record *record, uint32_t cpu)
{
	return (struct record_slot *)record_slot(record, cpu);
}

/* A stall of CPU @cpu with a sample each second. */
static void add_stall(struct record *record, uint32_t cpu, uint64_t onset_s, unsigned int samples)
{
	struct record_slot *slot = slot_of(record, cpu);

	slot->onset_ns = onset_s * SECOND;
	for (unsigned int i = 0; i < samples; i++) {
		struct record_sample *sample = &slot->samples[i];
		sample->number = sample->number_end = i + 1;
		sample->onset_ns = slot->onset_ns;
		sample->time_ns = slot->onset_ns + (i + 1) * SECOND;
	}
	slot->last_ns = slot->last_tick_ns = slot->onset_ns + samples * SECOND;
}

static void add_line(struct dmesg *dmesg, uint64_t t_ns, const char *text)
{
	struct dmesg_line *line = vector_push(&dmesg->lines);

	assert_non_null(line);
	*line = (struct dmesg_line){ .t_ns = t_ns, .level = 0, .text = text };
}

static void assert_event(const struct timeline *timeline, size_t index, enum event_kind kind,
			 double t_s, int32_t cpu)
{
	assert_true(index < timeline->events.count);
	assert_string_equal(event_name(timeline->events.data[index].kind), event_name(kind));
	assert_true(timeline->events.data[index].t_s > t_s - 1e-6);
	assert_true(timeline->events.data[index].t_s < t_s + 1e-6);
	assert_int_equal(timeline->events.data[index].cpu, cpu);
}

static void nothing_at_all(void **state)
{
	const struct machine machine = {};
	const struct dmesg dmesg = {};
	struct timeline timeline;

	(void)state;
	assert_no_error(timeline_init(&timeline, NULL, NULL, &dmesg, &machine));
	assert_int_equal(timeline.events.count, 0);
	timeline_deinit(&timeline);
}

static void two_clocks(void **state)
{
	struct record record = make_record(2);
	struct dmesg dmesg = {};
	struct timeline timeline;

	(void)state;
	add_stall(&record, 1, 100, 3);
	header_of(&record)->fired_ns = 105 * SECOND;
	header_of(&record)->fired_cpu = 1;
	strcpy(header_of(&record)->fired_reason, "stuck");
	/* The log's clock is half a second off. */
	add_line(&dmesg, 10 * SECOND, "something else");
	add_line(&dmesg, 103 * SECOND + SECOND / 2,
		 "watchdog: BUG: soft lockup - CPU#1 stuck for 4s! [x:1]");
	add_line(&dmesg, 105 * SECOND + SECOND / 2, "Kernel panic - not syncing: x");
	const struct machine machine = { .panic = "x", .panic_t_ns = 105 * SECOND + SECOND / 2 };
	assert_no_error(timeline_init(&timeline, NULL, &record, &dmesg, &machine));
	assert_int_equal(timeline.events.count, 6);
	assert_event(&timeline, 0, EVENT_ONSET, -5, 1);
	assert_event(&timeline, 1, EVENT_SAMPLE, -4, 1);
	assert_event(&timeline, 2, EVENT_SAMPLE, -3, 1);
	assert_event(&timeline, 3, EVENT_SAMPLE, -2, 1);
	assert_event(&timeline, 4, EVENT_WATCHDOG, -2, 1);
	assert_event(&timeline, 5, EVENT_TRIGGER, 0, 1);
	assert_string_equal(timeline.events.data[5].text, "stuck");
	timeline_deinit(&timeline);
	vector_deinit(&dmesg.lines);
	record_deinit(&record);
}

static void stalls_that_ended(void **state)
{
	struct record record = make_record(2);
	struct machine machine = {};
	struct dmesg dmesg = {};
	struct timeline timeline;

	(void)state;
	add_stall(&record, 0, 10, 2);
	slot_of(&record, 0)->end_ns = 13 * SECOND;
	slot_of(&record, 1)->last_tick_ns = 20 * SECOND;
	assert_int_equal(timeline_end_ns(&record), 20 * SECOND);
	assert_no_error(timeline_init(&timeline, NULL, &record, &dmesg, &machine));
	assert_int_equal(timeline.events.count, 4);
	assert_event(&timeline, 0, EVENT_ONSET, -10, 0);
	assert_event(&timeline, 3, EVENT_RECOVERED, -7, 0);
	assert_true(verdict_cpu_stuck_s(&record, 0) < 0);
	assert_true(verdict_cpu_stuck_s(&record, 1) < 0);
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void who_is_stuck(void **state)
{
	struct record record = make_record(4);

	(void)state;
	add_stall(&record, 0, 10, 5);
	add_stall(&record, 1, 14, 3); /* ticks until after the trigger */
	add_stall(&record, 2, 10, 3); /* was not seen any more: idle since */
	add_stall(&record, 3, 20, 1); /* began after the trigger */
	header_of(&record)->fired_ns = 16 * SECOND;
	assert_true(verdict_cpu_stuck_s(&record, 0) == 6);
	assert_true(verdict_cpu_stuck_s(&record, 1) == 2);
	assert_true(verdict_cpu_stuck_s(&record, 2) < 0);
	assert_true(verdict_cpu_stuck_s(&record, 3) < 0);
	assert_true(verdict_cpu_stuck_s(&record, 4) < 0);
	assert_true(verdict_cpu_stuck_s(&record, UINT32_MAX) < 0);
	assert_true(verdict_cpu_stuck_s(NULL, 0) < 0);
	record_deinit(&record);
}

static void no_event_is_after_the_end(void **state)
{
	struct record record = make_record(1);
	const struct machine machine = {};
	const struct dmesg dmesg = {};
	struct timeline timeline;

	(void)state;
	add_stall(&record, 0, 10, 4);
	slot_of(&record, 0)->samples[1].time_ns = UINT64_MAX;
	slot_of(&record, 0)->samples[2].time_ns = 0;
	header_of(&record)->fired_ns = 12 * SECOND;
	assert_no_error(timeline_init(&timeline, NULL, &record, &dmesg, &machine));
	for (size_t i = 0; i < timeline.events.count; i++) {
		assert_true(timeline.events.data[i].t_s <= 0);
		assert_true(!i || timeline.events.data[i - 1].t_s <= timeline.events.data[i].t_s);
	}
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static struct record_event *add_event(struct record *record, uint32_t by, uint32_t kind,
				      uint64_t since_s, uint64_t time_s)
{
	struct record_slot *slot = slot_of(record, by);
	struct record_event *event = &slot->events[++slot->last_event % RECORD_NR_EVENTS];

	*event = (struct record_event){
		.number = slot->last_event,
		.number_end = slot->last_event,
		.kind = kind,
		.since_ns = since_s * SECOND,
		.time_ns = time_s * SECOND,
		.cpu = by,
		.pid = 7,
		.comm = "seven",
	};
	slot->last_tick_ns =
		slot->last_tick_ns > event->time_ns ? slot->last_tick_ns : event->time_ns;
	return event;
}

static void add_condition(struct record *record, uint32_t by, uint32_t kind, uint32_t condition,
			  uint64_t word, uint64_t since_s, uint64_t time_s)
{
	struct record_event *event = add_event(record, by, kind, since_s, time_s);

	event->words[0] = condition;
	event->words[1] = word;
}

static void init_from(struct timeline *timeline, struct record *record)
{
	const struct machine machine = {};
	const struct dmesg dmesg = {};

	header_of(record)->fired_ns = 100 * SECOND;
	assert_no_error(timeline_init(timeline, NULL, record, &dmesg, &machine));
}

/* The @index-th event's words, behind the checks of assert_event(). */
static void assert_says(const struct timeline *timeline, size_t index, enum event_kind kind,
			double t_s, int32_t cpu, const char *text)
{
	assert_event(timeline, index, kind, t_s, cpu);
	assert_string_equal(timeline->events.data[index].text, text);
}

static void conditions(void **state)
{
	struct record record = make_record(3);
	struct timeline timeline;

	(void)state;
	add_condition(&record, 1, RECORD_EVENT_CONDITION, RECORD_KIND_NEED_RESCHED,
		      RECORD_RESCHED_LAZY, 60, 70);
	add_condition(&record, 1, RECORD_EVENT_CONDITION_END, RECORD_KIND_NEED_RESCHED, 0, 60, 72);
	add_condition(&record, 1, RECORD_EVENT_CONDITION, RECORD_KIND_WORKQUEUE_STALL, 0, 63, 73);
	add_condition(&record, 1, RECORD_EVENT_CONDITION_END, RECORD_KIND_WORKQUEUE_STALL, 0, 63,
		      74);
	add_condition(&record, 2, RECORD_EVENT_CONDITION, RECORD_KIND_IRQ_STORM, 97, 65, 75);
	add_condition(&record, 2, RECORD_EVENT_CONDITION, RECORD_KIND_SOFTIRQ_STORM, 92, 66, 76);
	/* The stall's own end says the same. */
	add_condition(&record, 0, RECORD_EVENT_CONDITION_END, RECORD_KIND_NEED_RESCHED, 0, 60, 80);
	slot_of(&record, 0)->end_ns = 80 * SECOND;
	init_from(&timeline, &record);
	assert_says(&timeline, 0, EVENT_NEED_RESCHED, -30, 1,
		    "asked to leave the CPU when it suits 10.0 s ago, and still on it");
	assert_int_equal(timeline.events.data[0].pid, 7);
	assert_string_equal(timeline.events.data[0].comm, "seven");
	assert_says(&timeline, 1, EVENT_RECOVERED, -28, 1,
		    "nobody asks for the CPU any more, after 12.0 s");
	assert_says(&timeline, 2, EVENT_WORKQUEUE_STALL, -27, 1,
		    "this CPU's workers have left work undone for 10.0 s");
	assert_event(&timeline, 3, EVENT_RECOVERED, -26, 1);
	assert_says(&timeline, 4, EVENT_IRQ_STORM, -25, 2,
		    "97 % of the CPU's time goes to interrupts, for 10.0 s");
	assert_event(&timeline, 5, EVENT_SOFTIRQ_STORM, -24, 2);
	assert_int_equal(timeline.events.count, 7); /* and the trigger */
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void what_all_cpus_see(void **state)
{
	struct record record = make_record(4);
	struct timeline timeline;

	(void)state;
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		add_condition(&record, cpu, RECORD_EVENT_CONDITION, RECORD_KIND_RCU_STALL, 5, 40,
			      50 + cpu);
		add_condition(&record, cpu, RECORD_EVENT_CONDITION_END, RECORD_KIND_RCU_STALL, 5,
			      40, 60 + cpu);
		add_condition(&record, cpu, RECORD_EVENT_CONDITION, RECORD_KIND_RCU_STALL, 9, 64,
			      75 - cpu);
		add_condition(&record, cpu, RECORD_EVENT_CONDITION, RECORD_KIND_HUNG_TASK, 0xbeef,
			      80, 80 + cpu);
		add_event(&record, cpu, RECORD_EVENT_PAUSE, 90, 95 + cpu);
	}
	/* Idle for a while: that is no end. */
	add_condition(&record, 0, RECORD_EVENT_CONDITION_END, RECORD_KIND_RCU_STALL, 9, 64, 77);
	slot_of(&record, 3)->conditions[RECORD_KIND_RCU_STALL].since_ns = 64 * SECOND;
	slot_of(&record, 3)->conditions[RECORD_KIND_RCU_STALL].words[0] = 9;
	add_event(&record, 1, RECORD_EVENT_PAUSE, 98, 99);
	init_from(&timeline, &record);
	assert_says(&timeline, 0, EVENT_RCU_STALL, -50, -1,
		    "RCU's grace period has not ended for 10.0 s");
	assert_false(timeline.events.data[0].has_task);
	assert_says(&timeline, 1, EVENT_RECOVERED, -37, -1,
		    "RCU's grace period has ended, after 23.0 s");
	assert_event(&timeline, 2, EVENT_RCU_STALL, -28, -1);
	assert_event(&timeline, 3, EVENT_HUNG_TASK, -20, -1);
	assert_int_equal(timeline.events.data[3].pid, 7);
	assert_says(&timeline, 4, EVENT_PAUSE, -10, 0, "the machine did not run for 5.0 s");
	assert_false(timeline.events.data[4].has_task);
	assert_event(&timeline, 5, EVENT_PAUSE, -2, 1);
	assert_int_equal(timeline.events.count, 7);
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void deaf_cpus(void **state)
{
	struct record record = make_record(4);
	struct record_slot *slot = slot_of(&record, 0);
	struct timeline timeline;

	(void)state;
	add_event(&record, 0, RECORD_EVENT_DEAF, 50, 52)->cpu = 1;
	add_event(&record, 0, RECORD_EVENT_DEAF_END, 50, 54)->cpu = 1;
	add_event(&record, 3, RECORD_EVENT_DEAF, 60, 64)->cpu = 2;
	/* Another that sees it; one whose event was overwritten; and one that was seen once only. */
	slot->deaf[0] = (struct record_deaf){ 2, 7, 60 * SECOND, 99 * SECOND, 0, "seven" };
	slot->deaf[1] = (struct record_deaf){ 3, 8, 70 * SECOND, 99 * SECOND, 0, "eight" };
	slot->deaf[2] = (struct record_deaf){ 1, 9, 98 * SECOND, 0, 0, "nine" };
	init_from(&timeline, &record);
	assert_says(&timeline, 0, EVENT_IRQS_OFF, -50, 1,
		    "takes no interrupts from here on, as CPU 0 sees");
	assert_says(&timeline, 1, EVENT_RECOVERED, -46, 1, "takes interrupts again, after 4.0 s");
	assert_says(&timeline, 2, EVENT_IRQS_OFF, -40, 2,
		    "takes no interrupts from here on, as CPU 3 sees");
	assert_event(&timeline, 3, EVENT_IRQS_OFF, -30, 3);
	assert_string_equal(timeline.events.data[3].comm, "eight");
	assert_int_equal(timeline.events.count, 5);
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void probes(void **state)
{
	struct record record = make_record(2);
	struct record_slot *slot = slot_of(&record, 1);
	struct timeline timeline;

	(void)state;
	header_of(&record)->sample_first_ns = SECOND;
	strcpy(header_of(&record)->probes[3], "do_exit");
	slot->hits[4] = (struct record_hit){ .number = 4,
					     .number_end = 4,
					     .time_ns = 90 * SECOND,
					     .args = { 1, 2, 0xff },
					     .caller = 0x1234,
					     .probe = 3,
					     .pid = 5,
					     .comm = "five" };
	init_from(&timeline, &record);
	assert_says(&timeline, 0, EVENT_PROBE, -10, 1, "do_exit(0x1, 0x2, 0xff)");
	assert_string_equal(timeline.events.data[0].comm, "five");
	assert_int_equal(timeline.events.data[0].nr_pcs, 1);
	assert_int_equal(timeline.events.data[0].pcs[0], 0x1234);
	assert_int_equal(timeline.events.count, 2);
	timeline_deinit(&timeline);
	record_deinit(&record);
}

/* What was called for is told if the last look saw it, or if none has come since. */
static void locks(void **state)
{
	const struct record_contention spinlock = { .lock = 0xabc0,
						    .since_ns = 95 * SECOND,
						    .pid = 6 };
	const struct record_contention rwlock = {
		.lock = 0xabc8, .since_ns = 96 * SECOND, .flags = RECORD_LOCK_READ, .pid = 6
	};
	struct record record = make_record(3);
	struct record_slot *slot = slot_of(&record, 1), *deaf = slot_of(&record, 2);
	struct timeline timeline;
	size_t count;

	(void)state;
	header_of(&record)->sample_first_ns = SECOND;
	add_stall(&record, 1, 95, 4);
	slot->last_tick_ns = 100 * SECOND;
	slot->samples[3].lock = 0xabc0;
	slot->samples[3].lock_since_ns = 95 * SECOND;
	slot->locks[0] = spinlock;
	slot->locks[1] = rwlock;
	slot->locks[2].lock = 0xabd0; /* just now, and after the end */
	slot->locks[2].since_ns = 100 * SECOND - SECOND / 2;
	slot->locks[3].lock = 0xabd0;
	slot->locks[3].since_ns = 101 * SECOND;
	init_from(&timeline, &record);
	count = timeline.events.count;
	assert_says(&timeline, 1, EVENT_LOCK_WAIT, -5, 1, "spins for spinlock at 0xabc0");
	timeline_deinit(&timeline);

	slot->samples[3].lock_since_ns--;
	init_from(&timeline, &record);
	assert_int_equal(timeline.events.count, count - 1);
	timeline_deinit(&timeline);

	/* An idle CPU is not looked at, and a deaf one. */
	deaf->last_tick_ns = 95 * SECOND;
	deaf->locks[0] = rwlock;
	init_from(&timeline, &record);
	assert_int_equal(timeline.events.count, count - 1);
	timeline_deinit(&timeline);
	slot->deaf[0] = (struct record_deaf){ 2, 7, 95 * SECOND, 99 * SECOND, 0, "seven" };
	init_from(&timeline, &record);
	assert_int_equal(timeline.events.count, count + 1);
	assert_says(&timeline, 3, EVENT_LOCK_WAIT, -4, 2, "began to spin for rwlock at 0xabc8");
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void torn_slot(void **state)
{
	struct record record = make_record(1);
	struct timeline timeline;

	(void)state;
	add_stall(&record, 0, 90, 10);
	slot_of(&record, 0)->sequence = 5;
	assert_true(verdict_cpu_stuck_s(&record, 0) < 0);
	init_from(&timeline, &record);
	assert_int_equal(timeline.events.count, 1);
	slot_of(&record, 0)->sequence = 6;
	assert_true(verdict_cpu_stuck_s(&record, 0) == 10);
	slot_of(&record, 0)->paused_ns = 3 * SECOND;
	assert_true(verdict_cpu_stuck_s(&record, 0) == 7);
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void the_onset_says_since_when(void **state)
{
	struct record record = make_record(1);
	struct timeline timeline;

	(void)state;
	add_stall(&record, 0, 90, 10);
	slot_of(&record, 0)->switch_ns = 90 * SECOND - SECOND / 100;
	init_from(&timeline, &record);
	assert_says(&timeline, 0, EVENT_ONSET, -10, 0, "the last task switch on this CPU");
	timeline_deinit(&timeline);
	slot_of(&record, 0)->switch_ns = 70 * SECOND;
	init_from(&timeline, &record);
	assert_says(
		&timeline, 0, EVENT_ONSET, -10, 0,
		"in the kernel from here on; the last task switch on this CPU was 20.0 s before");
	timeline_deinit(&timeline);
	record_deinit(&record);
}

static void stacks_of_samples(void **state)
{
	struct record_sample sample = { .flags = RECORD_SAMPLE_REGS,
					.nr_stack = 4,
					.stack = { 1, 2, 3, 4, 5 } };
	const __u64 *pcs;

	(void)state;
	assert_int_equal(sample_stack(&sample, 3, &pcs), 2);
	assert_int_equal(pcs[0], 3);
	assert_int_equal(sample_stack(&sample, 5, &pcs), 0);
	assert_null(pcs);
	/* Without registers nobody knows where the interrupted code begins: all of it. */
	sample.flags = 0;
	assert_int_equal(sample_stack(&sample, 3, &pcs), 4);
	assert_int_equal(pcs[0], 1);
	sample.nr_stack = 0;
	assert_int_equal(sample_stack(&sample, 1, &pcs), 0);
}

static void lines_of_the_watchdog(void **state)
{
	struct watchdog_line said;

	(void)state;
	assert_true(watchdog_line("watchdog: BUG: soft lockup - CPU#12 stuck for 22s! [a:b:166]",
				  &said));
	assert_int_equal(said.cpu, 12);
	assert_int_equal(said.stuck_s, 22);
	assert_int_equal(said.pid, 166);
	assert_string_equal(said.comm, "a:b");
	assert_false(watchdog_line("BUG: soft lockup - CPU#", &said));
	assert_false(watchdog_line("BUG: soft lockup - CPU#1 stuck for s!", &said));
	assert_false(watchdog_line("BUG: soft lockup - CPU#1 stuck for 2s!", &said));
	assert_false(watchdog_line("", &said));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("without record and log it is empty", nothing_at_all),
		TEST("the record's clock and the log's meet at the crash", two_clocks),
		TEST("a stall that ended has its end, and its CPU is not stuck", stalls_that_ended),
		TEST("a CPU is stuck if its stall was seen until the trigger, or after it",
		     who_is_stuck),
		TEST("no event comes after the end, whatever the record says",
		     no_event_is_after_the_end),
		TEST("conditions have their places and ends", conditions),
		TEST("what all CPUs see of the machine is told once", what_all_cpus_see),
		TEST("CPUs that take no interrupts are told from the first timer they miss on",
		     deaf_cpus),
		TEST("hits of probes", probes),
		TEST("locks that are spun for at the end", locks),
		TEST("a torn slot has no stall, and a pause is no part of one", torn_slot),
		TEST("an onset tells when the last task switch was", the_onset_says_since_when),
		TEST("a sample's stack begins with the interrupted pc", stacks_of_samples),
		TEST("the watchdog's line is known by its words", lines_of_the_watchdog),
	};
	return RUN_TESTS(tests);
}
