// SPDX-License-Identifier: GPL-2.0-only
/* What 'lockdump record' says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_dump.h"
#include "make_record.h"
#include "report/text_record.h"
#include "test.h"

#define SECOND 1000000000ull

static struct record record;
static char *said;

static int make(void **state)
{
	size_t size = 3 * RECORD_SLOT_SIZE;
	struct record_header *header = calloc(1, size);

	make_record_header(header, 2);
	header->fired_ns = 100 * SECOND;
	record = (struct record){ .data = header, .size = size, .header = header };
	*state = (void *)record_slot(&record, 1);
	said = NULL;
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	free(said);
	record_deinit(&record);
	return 0;
}

static void assert_said(const char *what)
{
	size_t size;

	free(said);
	said = NULL;
	FILE *out = open_memstream(&said, &size);
	assert_no_error(text_put_record(&record, out));
	fclose(out);
	if (!strstr(said, what))
		fail_msg("no '%s' in:\n%s", what, said);
}

static void put_stall(struct record_slot *slot)
{
	slot->onset_ns = 80 * SECOND;
	slot->last_ns = 99 * SECOND;
	slot->stalls = 1;
	slot->sequence = 2;
	slot->samples[0] = (struct record_sample){
		.number = 1,
		.number_end = 1,
		.onset_ns = 80 * SECOND,
		.time_ns = 81 * SECOND,
		.pid = 5,
		.comm = "a\033b",
		.lock = 0xabc0,
	};
}

static void stalls(void **state)
{
	struct record_slot *slot = *state;

	put_stall(slot);
	assert_said("the last one 20.000 s, did not end, 1 samples\n");
	assert_said("     1.000  a?b/5, 0 return addresses, spins for 0xabc0\n");
	slot->paused_ns = 5 * SECOND;
	slot->switch_ns = 79 * SECOND;
	assert_said("the last one 15.000 s, did not end, 1 samples; the machine did not run for "
		    "another 5.000 s; the last task switch 1.000 s before its onset\n");
	slot->end_ns = 90 * SECOND;
	assert_said("the last one 5.000 s, ended by itself");
	slot->neighbours[0] = (struct record_neighbour){ .online = 1, .cpu = 0 };
	slot->neighbours[1] = (struct record_neighbour){ .cpu = 9 };
	slot->neighbours[2] =
		(struct record_neighbour){ .online = 1, .cpu = 2, .pid = 8, .comm = "eight" };
	assert_said("  at its onset: CPU 0 idle, CPU 2 eight/8\n");
}

static void torn_slots(void **state)
{
	struct record_slot *slot = *state;

	put_stall(slot);
	slot->sequence = 3;
	slot->events[0].number = 1;
	assert_said("CPU 1    0 ticks, 1 stall\n  torn: its stall, 1 event\n");
	assert_null(strstr(said, "return addresses"));
}

static void what_is_wrong_at_the_end(void **state)
{
	struct record_slot *slot = *state;

	slot->conditions[RECORD_KIND_RCU_STALL] =
		(struct record_condition){ .since_ns = 97 * SECOND, .last_ns = 99 * SECOND };
	slot->conditions[RECORD_KIND_IRQ_STORM].since_ns = 98 * SECOND; /* seen once */
	slot->deaf[0] = (struct record_deaf){
		.cpu = 0, .pid = 4, .since_ns = 90 * SECOND, .last_ns = 99 * SECOND, .comm = "four"
	};
	assert_said("  at the end: a grace period goes on, for 3.0 s; CPU 0, which runs four/4, "
		    "takes no interrupts, for 10.0 s\n");
	slot->locks[2] = (struct record_contention){ .lock = 0xabc0, .since_ns = 98 * SECOND };
	assert_said("  in interrupt it spins, or did, for 0xabc0, for 2.000 s\n");
	assert_said("Time line (seconds to the end)\n"
		    "   -10.000  CPU 0 irqs-off four/4 takes no interrupts from here on, as CPU 1 "
		    "sees\n");
}

#define RECORD_TEST(sentence, function) TEST_WITH(sentence, function, make, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORD_TEST("a stall is told with its pauses, its neighbours and its samples",
			    stalls),
		RECORD_TEST("a torn slot is called torn, and its stall is not told", torn_slots),
		RECORD_TEST("what is wrong at the end is told, though it be young",
			    what_is_wrong_at_the_end),
	};
	return RUN_TESTS(tests);
}
