// SPDX-License-Identifier: GPL-2.0-only
/* Who waits for whom, and where that goes in a circle. */
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "verdict/wait_graph.h"

#define MAX_TASKS 4096

/* A graph of tasks, each of which waits for at most one lock, which has holders. */
struct graph {
	struct locks locks;
	uint32_t waits_for[MAX_TASKS];
};

static void graph_init(struct graph *g, uint32_t nr_tasks)
{
	memset(g, 0, sizeof(*g));
	memset(g->waits_for, 0xff, sizeof(g->waits_for));
	g->locks.waits_for = g->waits_for;
	g->locks.nr_tasks = nr_tasks;
}

static void graph_deinit(struct graph *g)
{
	for (size_t i = 0; i < g->locks.list.count; i++)
		vector_deinit(&g->locks.list.data[i].holders);
	vector_deinit(&g->locks.list);
}

/* @task waits for @holder. */
static void wait_for(struct graph *g, uint32_t task, uint32_t holder, bool certain)
{
	if (g->waits_for[task] == LOCK_NONE) {
		g->waits_for[task] = g->locks.list.count;
		struct lock *lock = vector_push(&g->locks.list);
		assert_non_null(lock);
		*lock = (struct lock){ .address = task + 1 };
	}
	struct lock_holder *place = vector_push(&g->locks.list.data[g->waits_for[task]].holders);
	assert_non_null(place);
	*place = (struct lock_holder){ .task = holder, .certain = certain };
}

static void no_cycle(void **state)
{
	struct wait_cycle cycle;
	struct graph g;

	(void)state;
	graph_init(&g, 5);
	wait_for(&g, 0, 1, true);
	wait_for(&g, 1, 2, true);
	wait_for(&g, 3, 1, true);
	wait_for(&g, 3, 2, true); /* twice the same end is no circle */
	assert_false(wait_graph_cycle(&g.locks, LOCK_NONE, &cycle));
	assert_false(wait_graph_cycle(&g.locks, 77, &cycle));
	graph_deinit(&g);
}

static void cycles(void **state)
{
	struct wait_cycle cycle;
	struct graph g;

	(void)state;
	/* 0 -> 1 -> 2 -> 3 -> 1, and 4 waits for itself. */
	graph_init(&g, 6);
	wait_for(&g, 0, 1, true);
	wait_for(&g, 1, 5, true);
	wait_for(&g, 1, 2, true);
	wait_for(&g, 2, 3, true);
	wait_for(&g, 3, 1, true);
	wait_for(&g, 4, 4, false);
	assert_true(wait_graph_cycle(&g.locks, LOCK_NONE, &cycle));
	assert_int_equal(cycle.count, 3);
	assert_int_equal(cycle.tasks[0], 1);
	assert_int_equal(cycle.tasks[1], 2);
	assert_int_equal(cycle.tasks[2], 3);
	assert_true(cycle.certain);
	assert_true(wait_graph_cycle(&g.locks, 4, &cycle));
	assert_int_equal(cycle.count, 1);
	assert_false(cycle.certain);
	assert_false(wait_graph_cycle(&g.locks, 5, &cycle));
	graph_deinit(&g);
}

static void certain_ones_first(void **state)
{
	struct wait_cycle cycle;
	struct graph g;

	(void)state;
	graph_init(&g, 4);
	wait_for(&g, 0, 1, false);
	wait_for(&g, 1, 0, true);
	wait_for(&g, 2, 3, true);
	wait_for(&g, 3, 2, true);
	assert_true(wait_graph_cycle(&g.locks, LOCK_NONE, &cycle));
	assert_int_equal(cycle.tasks[0], 2);
	assert_true(cycle.certain);
	assert_true(wait_graph_cycle(&g.locks, 0, &cycle));
	assert_false(cycle.certain);
	graph_deinit(&g);
}

/* As long as there are tasks: the search does not recurse. */
static void a_long_cycle(void **state)
{
	static struct graph g;
	struct wait_cycle cycle;
	size_t steps;

	(void)state;
	graph_init(&g, MAX_TASKS);
	for (uint32_t i = 0; i < MAX_TASKS; i++)
		wait_for(&g, i, (i + 1) % MAX_TASKS, true);
	assert_true(wait_graph_cycle(&g.locks, LOCK_NONE, &cycle));
	assert_int_equal(cycle.count, MAX_TASKS);
	assert_int_equal(cycle.tasks[WAIT_CYCLE_MAX - 1], WAIT_CYCLE_MAX - 1);
	wait_graph_head(&g.locks, 0, &steps);
	assert_int_equal(steps, MAX_TASKS);
	graph_deinit(&g);
}

static void heads(void **state)
{
	struct graph g;
	size_t steps;

	(void)state;
	graph_init(&g, 5);
	wait_for(&g, 0, 1, true);
	wait_for(&g, 1, 2, false);
	wait_for(&g, 1, 3, false);
	assert_int_equal(wait_graph_head(&g.locks, 0, &steps), 2);
	assert_int_equal(steps, 2);
	assert_int_equal(wait_graph_head(&g.locks, 4, &steps), 4);
	assert_int_equal(steps, 0);
	graph_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("tasks that wait in a row are no circle", no_cycle),
		TEST("a cycle has the tasks that wait for each other, and no others", cycles),
		TEST("a cycle of certain holders comes before one of suspects", certain_ones_first),
		TEST("a cycle of all tasks is found", a_long_cycle),
		TEST("a chain is followed to the task that waits for no one", heads),
	};
	return RUN_TESTS(tests);
}
