// SPDX-License-Identifier: GPL-2.0-only
/* What triggers, out of one CPU's slot. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "capture/cause.h"
#include "capture/clock.h"

#define CPU    3
#define SECOND NS_PER_SEC
#define NOW    (1000 * SECOND)

#define ALL ((1U << RECORD_NR_KINDS) - 1)

static struct cause_wanted want(uint32_t kinds)
{
	struct cause_wanted wanted = { .kinds = kinds, .silent_ns = 10 * SECOND };

	for (int kind = 0; kind < RECORD_NR_KINDS; kind++)
		wanted.after_ns[kind] = 10 * SECOND;
	return wanted;
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct record_slot));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static bool find(const struct record_slot *slot, uint32_t kinds, struct cause *ret)
{
	const struct cause_wanted wanted = want(kinds);

	return cause_find(slot, CPU, &wanted, NOW, ret);
}

static void make_stall(struct record_slot *slot, uint64_t length_ns)
{
	slot->onset_ns = NOW - length_ns;
	slot->last_ns = NOW;
	slot->wanted_ns = NOW - length_ns;
}

static void test_stall(void **state)
{
	struct record_slot *slot = *state;
	struct cause cause;
	char text[128];

	make_stall(slot, 12 * SECOND);
	assert_true(find(slot, 1U << RECORD_KIND_SOFT_LOCKUP, &cause));
	assert_int_equal(cause.kind, RECORD_KIND_SOFT_LOCKUP);
	assert_int_equal(cause.cpu, CPU);
	assert_int_equal(cause.onset_ns, slot->onset_ns);
	cause_describe(&cause, text, sizeof(text));
	assert_string_equal(text, "no task switch for 12.000 s");
	assert_false(find(slot, 1U << RECORD_KIND_HARD_LOCKUP, &cause));

	slot->samples[0] = (struct record_sample){
		.number = 1,
		.number_end = 1,
		.onset_ns = slot->onset_ns,
		.comm = "a\nb",
		.pid = 42,
	};
	assert_true(find(slot, 1U << RECORD_KIND_SOFT_LOCKUP, &cause));
	cause_describe(&cause, text, sizeof(text));
	assert_memory_equal(text, "no task switch for 12.000 s, in a", 33);
	assert_null(strchr(text, '\n'));
	assert_non_null(strstr(text, "(pid 42)"));
}

static void test_no_stall(void **state)
{
	struct record_slot *slot = *state;
	struct cause cause;

	assert_false(find(slot, ALL, &cause));
	make_stall(slot, 9 * SECOND);
	assert_false(find(slot, ALL, &cause));
	make_stall(slot, 12 * SECOND);
	slot->paused_ns = 3 * SECOND;
	assert_false(find(slot, ALL, &cause));
	slot->paused_ns = 0;
	slot->wanted_ns = 0;
	assert_false(find(slot, ALL, &cause));
	make_stall(slot, 12 * SECOND);
	slot->end_ns = NOW;
	assert_false(find(slot, ALL, &cause));
}

static void test_deaf(void **state)
{
	struct record_slot *slot = *state;
	struct record_deaf *deaf = &slot->deaf[1];
	struct cause cause;
	char text[128];

	*deaf = (struct record_deaf){
		.cpu = 5,
		.pid = 7,
		.comm = "deaf",
		.since_ns = NOW - 11 * SECOND,
		.last_ns = NOW - SECOND / 2,
	};
	assert_true(find(slot, ALL, &cause));
	assert_int_equal(cause.kind, RECORD_KIND_HARD_LOCKUP);
	assert_int_equal(cause.cpu, 5);
	assert_int_equal(cause.seen_by, CPU);
	cause_describe(&cause, text, sizeof(text));
	assert_string_equal(text, "no interrupts taken for 10.500 s, in deaf (pid 7)");
	assert_false(find(slot, 1U << RECORD_KIND_SOFT_LOCKUP, &cause));

	deaf->last_ns = NOW - 5 * SECOND; /* nobody has looked since */
	deaf->since_ns = NOW - 60 * SECOND;
	assert_false(find(slot, ALL, &cause));
	deaf->last_ns = 0; /* only one look has seen it */
	assert_false(find(slot, ALL, &cause));
}

static void test_conditions(void **state)
{
	struct record_slot *slot = *state;
	struct cause cause;
	char text[128];

	for (uint32_t kind = RECORD_KIND_RCU_STALL; kind < RECORD_NR_KINDS; kind++) {
		struct record_condition *condition = &slot->conditions[kind];
		condition->since_ns = NOW - 10 * SECOND;
		condition->last_ns = NOW;
		assert_false(find(slot, ALL & ~(1U << kind), &cause));
		assert_true(find(slot, ALL, &cause));
		assert_int_equal(cause.kind, kind);
		assert_int_equal(cause.cpu, CPU);
		cause_describe(&cause, text, sizeof(text));
		assert_non_null(strstr(text, " for 10.000 s"));
		condition->last_ns--;
		assert_false(find(slot, ALL, &cause));
		condition->since_ns = 0;
	}
}

static void test_thresholds(void **state)
{
	struct record_slot *slot = *state;
	struct record_condition *condition = &slot->conditions[RECORD_KIND_RCU_STALL];
	struct cause_wanted wanted = want(ALL);
	struct cause cause;

	condition->since_ns = NOW - 15 * SECOND;
	condition->last_ns = NOW;
	assert_true(cause_find(slot, CPU, &wanted, NOW, &cause));
	wanted.after_ns[RECORD_KIND_RCU_STALL] = 21 * SECOND;
	assert_false(cause_find(slot, CPU, &wanted, NOW, &cause));
	condition->since_ns = NOW - 21 * SECOND;
	assert_true(cause_find(slot, CPU, &wanted, NOW, &cause));
}

static struct record_event *write_event(struct record_slot *slot, enum record_event_kind kind)
{
	struct record_event *event = &slot->events[++slot->last_event % RECORD_NR_EVENTS];

	*event = (struct record_event){
		.number = slot->last_event,
		.number_end = slot->last_event,
		.kind = kind,
		.time_ns = NOW,
		.since_ns = NOW - 12 * SECOND,
		.cpu = CPU,
	};
	return event;
}

/* It counts from the kernel's first report, which has the name. */
static void test_hung_task(void **state)
{
	struct record_slot *slot = *state;
	struct record_condition *condition = &slot->conditions[RECORD_KIND_HUNG_TASK];
	struct cause_wanted wanted = want(1U << RECORD_KIND_HUNG_TASK);
	struct record_event *event = write_event(slot, RECORD_EVENT_CONDITION);
	struct cause cause;
	char text[128];

	wanted.after_ns[RECORD_KIND_HUNG_TASK] = 0;
	assert_false(cause_find(slot, CPU, &wanted, NOW, &cause));
	condition->since_ns = condition->last_ns = NOW - SECOND;
	condition->words[1] = 77;
	event->words[0] = RECORD_KIND_HUNG_TASK;
	event->pid = 77;
	memcpy(event->comm, "hung", 5);
	assert_true(cause_find(slot, CPU, &wanted, NOW, &cause));
	assert_int_equal(cause.pid, 77);
	cause_describe(&cause, text, sizeof(text));
	assert_string_equal(text, "a hung task, in hung (pid 77)");
	assert_false(cause_find(slot, CPU, &wanted, NOW + 5 * SECOND, &cause));
}

static bool count(const struct cause *cause, void *arg)
{
	(void)cause;
	++*(int *)arg;
	return true;
}

static void test_ended(void **state)
{
	struct record_slot *slot = *state;
	struct cause_wanted wanted = want(ALL);
	int found = 0;

	write_event(slot, RECORD_EVENT_CONDITION)->words[0] = RECORD_KIND_RCU_STALL;
	write_event(slot, RECORD_EVENT_PAUSE);
	assert_int_equal(cause_each_ended(slot, CPU, &wanted, 0, count, &found), 2);
	assert_int_equal(found, 0);
	write_event(slot, RECORD_EVENT_CONDITION_END)->words[0] = RECORD_KIND_IRQ_STORM;
	write_event(slot, RECORD_EVENT_DEAF_END)->pid = 5;
	write_event(slot, RECORD_EVENT_DEAF_END)->since_ns = NOW - SECOND; /* too short */
	write_event(slot, RECORD_EVENT_CONDITION_END)->words[0] = 1000; /* no kind */
	assert_int_equal(cause_each_ended(slot, CPU, &wanted, 2, count, &found), 6);
	assert_int_equal(found, 2);
	assert_int_equal(cause_each_ended(slot, CPU, &wanted, 6, count, &found), 6);
	assert_int_equal(found, 2);

	/* Half-written: it comes once it is whole. */
	struct record_event *event = write_event(slot, RECORD_EVENT_DEAF_END);
	event->number_end = 0;
	assert_int_equal(cause_each_ended(slot, CPU, &wanted, 6, count, &found), 6);
	assert_int_equal(found, 2);
	event->number_end = event->number;
	assert_int_equal(cause_each_ended(slot, CPU, &wanted, 6, count, &found), 7);
	assert_int_equal(found, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("a stall is one, with the task of its newest sample", test_stall, setup,
			  teardown),
		TEST_WITH(
			"one that is short, over or wanted by nobody is none, and a pause does not count",
			test_no_stall, setup, teardown),
		TEST_WITH("a neighbour that takes no interrupts is one, if looks go on", test_deaf,
			  setup, teardown),
		TEST_WITH("so is each other condition, if it is asked for", test_conditions, setup,
			  teardown),
		TEST_WITH("each kind has its own threshold", test_thresholds, setup, teardown),
		TEST_WITH("a hung task is one from the kernel's first report on, and has its name",
			  test_hung_task, setup, teardown),
		TEST_WITH("what ended unseen is found in the events, once", test_ended, setup,
			  teardown),
	};

	return RUN_TESTS(tests);
}
