// SPDX-License-Identifier: GPL-2.0-only
/* What is a stall, from a CPU's slot. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "capture/clock.h"
#include "state/stall.h"

#define SECOND NS_PER_SEC
#define SILENT (10 * SECOND)

static int new_slot(void **state)
{
	*state = test_calloc(1, sizeof(struct record_slot));
	return 0;
}

static int free_slot(void **state)
{
	test_free(*state);
	return 0;
}

static struct stall read_slot(const struct record_slot *slot)
{
	struct stall stall;

	stall_read(slot, 3, &stall);
	return stall;
}

static void put_sample(struct record_slot *slot, size_t place, uint64_t number, uint64_t onset)
{
	slot->samples[place].number = slot->samples[place].number_end = number;
	slot->samples[place].onset_ns = onset;
}

static void test_fresh_slot(void **state)
{
	struct stall stall = read_slot(*state);

	assert_int_equal(stall_state(&stall, 100 * SECOND, SILENT), STALL_NONE);
	assert_int_equal(stall_length_ns(&stall), 0);
}

static void test_running_stall(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 57 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall.cpu, 3);
	assert_int_equal(stall_state(&stall, 57 * SECOND + 1, SILENT), STALL_ON);
	assert_int_equal(stall_length_ns(&stall), 7 * SECOND);
}

static void test_ended_stall(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 57 * SECOND;
	slot->end_ns = 61 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall_state(&stall, 61 * SECOND, SILENT), STALL_OVER);
	assert_int_equal(stall_length_ns(&stall), 7 * SECOND);
}

static void test_silent_cpu(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 57 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall_state(&stall, 57 * SECOND + SILENT, SILENT), STALL_ON);
	assert_int_equal(stall_state(&stall, 57 * SECOND + SILENT + 1, SILENT), STALL_SILENT);
	assert_int_equal(stall_length_ns(&stall), 7 * SECOND);
}

/* The reader took the time before the kernel's next look. */
static void test_look_after_now(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 57 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall_state(&stall, 57 * SECOND - 1, SILENT), STALL_ON);
}

/* A CPU that crashed while it wrote leaves an odd sequence: reading must end. */
static void test_frozen_writer(void **state)
{
	struct record_slot *slot = *state;

	slot->sequence = 7;
	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 40 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall.onset_ns, 50 * SECOND);
	assert_int_equal(stall_length_ns(&stall), 0);
}

static void test_lockup(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 57 * SECOND;
	struct stall stall = read_slot(slot);
	assert_false(stall_is_lockup(&stall, 5 * SECOND));
	slot->wanted_ns = 51 * SECOND;
	stall = read_slot(slot);
	assert_true(stall_is_lockup(&stall, 7 * SECOND));
	assert_false(stall_is_lockup(&stall, 7 * SECOND + 1));
}

/* The machine did not run for 30 of 57 s. */
static void test_paused(void **state)
{
	struct record_slot *slot = *state;

	slot->onset_ns = 50 * SECOND;
	slot->last_ns = 107 * SECOND;
	slot->wanted_ns = 51 * SECOND;
	slot->paused_ns = 30 * SECOND;
	struct stall stall = read_slot(slot);
	assert_int_equal(stall_length_ns(&stall), 27 * SECOND);
	assert_true(stall_is_lockup(&stall, 27 * SECOND));
	assert_false(stall_is_lockup(&stall, 28 * SECOND));
	assert_int_equal(stall_deadline_ns(&stall, 28 * SECOND), 108 * SECOND);
	slot->paused_ns = UINT64_MAX;
	stall = read_slot(slot);
	assert_int_equal(stall_length_ns(&stall), 0);
}

static void test_newest_sample(void **state)
{
	struct record_slot *slot = *state;

	put_sample(slot, 0, 21, 50 * SECOND);
	put_sample(slot, 1, 22, 50 * SECOND);
	put_sample(slot, RECORD_NR_ONSET, 20, 10 * SECOND);
	assert_ptr_equal(stall_newest_sample(slot, 50 * SECOND), &slot->samples[1]);
	assert_ptr_equal(stall_newest_sample(slot, 10 * SECOND), &slot->samples[RECORD_NR_ONSET]);
	assert_null(stall_newest_sample(slot, 11 * SECOND));
}

static void test_torn_sample(void **state)
{
	struct record_slot *slot = *state;

	put_sample(slot, 0, 21, 50 * SECOND);
	put_sample(slot, 1, 22, 50 * SECOND);
	slot->samples[1].number_end = 6;
	assert_ptr_equal(stall_newest_sample(slot, 50 * SECOND), &slot->samples[0]);
	assert_false(stall_has_sample(&slot->samples[1], 50 * SECOND));
}

/* Threads as writer and reader: no copy that counts as whole is a mix. */
static void *write_samples(void *arg)
{
	volatile struct record_sample *sample = arg;

	for (uint64_t number = 1; !sample->reserved; number++) {
		__atomic_store_n(&sample->number, number, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		sample->time_ns = number;
		for (size_t i = 0; i < RECORD_STACK_MAX; i++)
			sample->stack[i] = number;
		__atomic_store_n(&sample->number_end, number, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void test_copy_while_written(void **state)
{
	struct record_slot *slot = *state;
	struct record_sample *live = &slot->samples[0], copy;
	pthread_t writer;
	size_t mixed = 0;

	assert_int_equal(pthread_create(&writer, NULL, write_samples, live), 0);
	for (int i = 0; i < 300000; i++) {
		stall_copy_sample(live, &copy);
		if (copy.number != copy.number_end)
			continue;
		mixed += copy.time_ns != copy.number;
		for (size_t j = 0; j < RECORD_STACK_MAX; j++)
			mixed += copy.stack[j] != copy.number;
	}
	*(volatile __u32 *)&live->reserved = 1;
	pthread_join(writer, NULL);
	assert_int_equal(mixed, 0);
}

static void test_copied_slot(void **state)
{
	struct record_slot *slot = *state;
	struct record_slot *copy = test_calloc(1, sizeof(*copy));
	struct record_sample sample;

	slot->onset_ns = 50 * SECOND;
	slot->ticks = 5;
	slot->sequence = 4;
	slot->paused_ns = 3;
	slot->locks[2].lock = slot->deaf[3].since_ns = 9;
	slot->events[7].number = 7;
	slot->hits[8].number = slot->hits[8].number_end = 8;
	put_sample(slot, 0, 21, 50 * SECOND);
	put_sample(slot, 1, 22, 50 * SECOND);
	slot->samples[1].number_end = 6;
	stall_copy_slot(slot, copy);
	assert_memory_equal(copy, slot, sizeof(*copy));
	assert_true(stall_copy_newest(slot, 50 * SECOND, &sample));
	assert_int_equal(sample.number, 21);
	assert_false(stall_copy_newest(slot, 51 * SECOND, &sample));
	test_free(copy);
}

/* Onset 0 must not match the places that were never written. */
static void test_unwritten_sample(void **state)
{
	assert_null(stall_newest_sample(*state, 0));
}

#define slot_test(name, function)                         \
	{                                                 \
		name, function, new_slot, free_slot, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		slot_test("a fresh slot has no stall", test_fresh_slot),
		slot_test("a stall lasts from its onset to the last look that saw it",
			  test_running_stall),
		slot_test("a stall that has ended does not count the time since", test_ended_stall),
		slot_test("a CPU that is not looked at any more is silent", test_silent_cpu),
		slot_test("a look later than the reader's clock is no silence",
			  test_look_after_now),
		slot_test("a slot frozen by a crash can be read", test_frozen_writer),
		slot_test("a stall is a lockup when it is long and another task waited",
			  test_lockup),
		slot_test("what the machine did not run of a stall does not count", test_paused),
		slot_test("the newest sample is that of the stall asked for", test_newest_sample),
		slot_test("a torn sample does not count", test_torn_sample),
		slot_test("a sample copied while it is written is torn or whole, never a mix",
			  test_copy_while_written),
		slot_test("a slot at rest is copied as it is", test_copied_slot),
		slot_test("an unwritten sample belongs to no stall", test_unwritten_sample),
	};

	return cmocka_run_group_tests_name("stall", tests, NULL, NULL);
}
