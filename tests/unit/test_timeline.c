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
	assert_no_error(timeline_init(&timeline, NULL, &dmesg, &machine));
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
	assert_no_error(timeline_init(&timeline, &record, &dmesg, &machine));
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
	assert_no_error(timeline_init(&timeline, &record, &dmesg, &machine));
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
	assert_no_error(timeline_init(&timeline, &record, &dmesg, &machine));
	for (size_t i = 0; i < timeline.events.count; i++) {
		assert_true(timeline.events.data[i].t_s <= 0);
		assert_true(!i || timeline.events.data[i - 1].t_s <= timeline.events.data[i].t_s);
	}
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
		TEST("a sample's stack begins with the interrupted pc", stacks_of_samples),
		TEST("the watchdog's line is known by its words", lines_of_the_watchdog),
	};
	return RUN_TESTS(tests);
}
