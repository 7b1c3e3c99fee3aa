// SPDX-License-Identifier: GPL-2.0-only
/* Which CPU hung, where the dump's run queues tell. */
#include <stdlib.h>

#include "test.h"
#include "verdict/verdict.h"

#define SECOND 1000000000ull

struct made {
	struct cpus cpus;
	struct cpu_states states;
	struct tasks tasks;
	struct dmesg dmesg;
	struct record record;
	struct verdict_input input;
};

/* CPUs 0 and 3, which are stuck for that long. */
static void make(struct made *m, uint64_t first_ns, uint64_t second_ns)
{
	*m = (struct made){};
	for (uint32_t i = 0; i < 2; i++) {
		*vector_push(&m->cpus.list) = (struct cpu){ .number = 3 * i, .online = true };
		struct cpu_state *state = vector_push(&m->states.list);
		*state = cpu_state_unknown;
		state->stuck_ns = i ? second_ns : first_ns;
	}
	m->input = (struct verdict_input){
		.cpus = &m->cpus,
		.cpu_states = &m->states,
		.tasks = &m->tasks,
		.dmesg = &m->dmesg,
	};
}

static void add_record(struct made *m, uint32_t nr_slots)
{
	struct record_header *header = calloc(1 + nr_slots, RECORD_SLOT_SIZE);

	assert_non_null(header);
	header->nr_slots = nr_slots;
	m->record = (struct record){ .data = header, .header = header };
	m->input.record = &m->record;
}

static void destroy(struct made *m)
{
	free(m->record.data);
	cpu_states_deinit(&m->states);
	vector_deinit(&m->cpus.list);
}

static void the_one_that_is_stuck_for_longest(void **state)
{
	struct stuck_cpu stuck;
	struct made m;

	(void)state;
	make(&m, 12 * SECOND, CLOCK_UNKNOWN);
	assert_true(verdict_stuck_cpu(&m.input, &stuck));
	assert_int_equal(stuck.number, 0);
	assert_true(stuck.seen && !stuck.recorded && stuck.seconds == 12);
	destroy(&m);
	make(&m, 12 * SECOND, 13 * SECOND);
	assert_true(verdict_stuck_cpu(&m.input, &stuck));
	assert_int_equal(stuck.number, 3);
	destroy(&m);
}

static void none_is(void **state)
{
	struct stuck_cpu stuck;
	struct made m;

	(void)state;
	make(&m, CLOCK_UNKNOWN, CLOCK_UNKNOWN);
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	m.input.cpu_states = NULL;
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	destroy(&m);
}

static void a_record_knows_better(void **state)
{
	struct stuck_cpu stuck;
	struct made m;

	(void)state;
	make(&m, 12 * SECOND, 11 * SECOND);
	add_record(&m, 1); /* of CPU 0 alone, which was well */
	assert_true(verdict_stuck_cpu(&m.input, &stuck));
	assert_int_equal(stuck.number, 3);
	destroy(&m);
	make(&m, 12 * SECOND, 11 * SECOND);
	add_record(&m, 4);
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	destroy(&m);
}

/* CPU 3 takes no interrupts: its recorder does not run, so that it knows nothing of that. */
static void one_that_takes_no_interrupts(void **state)
{
	struct stuck_cpu stuck;
	struct made m;

	(void)state;
	make(&m, 12 * SECOND, CLOCK_UNKNOWN);
	add_record(&m, 4);
	m.states.list.data[1].running_ns = 20 * SECOND;
	m.states.list.data[1].hrtimer_late_ns = 5 * SECOND;
	assert_true(verdict_stuck_cpu(&m.input, &stuck));
	assert_int_equal(stuck.number, 3);
	assert_true(stuck.deaf && !stuck.recorded && stuck.seconds == 5);
	assert_true(verdict_is_deaf(&m.input, 3, &stuck) && !verdict_is_deaf(&m.input, 0, &stuck));
	assert_true(verdict_stuck_s(&m.record, &m.states.list.data[1], 3) == 5);
	assert_true(verdict_stuck_s(&m.record, &m.states.list.data[0], 0) < 0);
	assert_true(verdict_stuck_s(NULL, &m.states.list.data[0], 0) == 12);
	/* Idle CPUs, and those that have just been told to run something. */
	m.states.list.data[1].running_ns = CLOCK_UNKNOWN;
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	m.states.list.data[1].running_ns = SECOND;
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	m.states.list.data[1].running_ns = 20 * SECOND;
	m.states.list.data[1].hrtimer_late_ns = SECOND;
	assert_false(verdict_stuck_cpu(&m.input, &stuck));
	destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the CPU that is stuck for longest by its run queue is found",
		     the_one_that_is_stuck_for_longest),
		TEST("no CPU is stuck, or nothing is known of them", none_is),
		TEST("a CPU that takes no interrupts is stuck, whatever a record says",
		     one_that_takes_no_interrupts),
		TEST("a record that covers a CPU knows better", a_record_knows_better),
	};
	return RUN_TESTS(tests);
}
