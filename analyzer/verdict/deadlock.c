// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that wait for each other in a circle: spinlocks over CPUs, or sleeping
 * locks over tasks. Nothing but that ends it, so it is a hang however short it
 * has lasted; unless a CPU hangs for another reason, which then is the dump's.
 */
#include <stdio.h>

#include "verdict/verdict.h"

/* By how sure the holders are: locks say it themselves, or a suspect is named for each. */
#define CONFIDENCE_CERTAIN 0.95
#define CONFIDENCE_SUSPECT 0.75

/* Begins the cycle with the CPU that hung, else with its first task. */
static void rotate(struct wait_cycle *cycle, uint32_t first)
{
	size_t count = cycle->count < WAIT_CYCLE_MAX ? cycle->count : WAIT_CYCLE_MAX, at = 0;
	struct wait_cycle rotated = *cycle;

	for (size_t i = 0; i < count; i++)
		if (cycle->tasks[i] == first ||
		    (cycle->tasks[at] != first && cycle->tasks[i] < cycle->tasks[at]))
			at = i;
	/* Where not all of it is known, its tasks are no circle to turn. */
	for (size_t i = 0; i < count && cycle->count <= WAIT_CYCLE_MAX; i++)
		cycle->tasks[i] = rotated.tasks[(at + i) % count];
}

static void describe(struct verdict *verdict, const struct verdict_input *input,
		     const struct task *first)
{
	char what[LOCK_TEXT_SIZE];

	lock_describe(verdict->lock, what, sizeof(what));
	snprintf(verdict->title, sizeof(verdict->title), "possible deadlock in %s",
		 verdict->function ? verdict->function : "unknown code");
	if (verdict->cycle.count == 1) {
		snprintf(verdict->summary, sizeof(verdict->summary),
			 "%s (pid %u) waits for %s, which it %s itself.", first->comm, first->pid,
			 what, verdict->cycle.certain ? "holds" : "seems to hold");
		return;
	}
	const struct task *second = &input->tasks->list.data[verdict->cycle.tasks[1]];
	snprintf(verdict->summary, sizeof(verdict->summary),
		 "%zu tasks wait for each other in a circle: %s (pid %u) waits for %s, which %s "
		 "(pid %u) %s%s.",
		 verdict->cycle.count, first->comm, first->pid, what, second->comm, second->pid,
		 verdict_what_holder_does(verdict->lock, verdict->cycle.certain),
		 verdict->cycle.count == 2 ? ", and that one for what the first holds" : "");
}

/*
 * A cycle that the CPU which hung is in, or comes to; where none did, one that a CPU spins in, for nobody gets that
 * CPU back, else any of which all is certain.
 */
static bool find_cycle(const struct verdict_input *input, const struct task *stuck,
		       struct wait_cycle *ret)
{
	if (stuck)
		return wait_graph_cycle(input->locks, verdict_place(input, stuck), ret);
	for (size_t i = 0; i < input->cpus->list.count; i++) {
		const struct task *task =
			tasks_find(input->tasks, input->cpus->list.data[i].current);
		if (task && wait_graph_cycle(input->locks, verdict_place(input, task), ret))
			return true;
	}
	/* Of a semaphore's last reader it is not even known whether it still reads. */
	return wait_graph_cycle(input->locks, LOCK_NONE, ret) && ret->certain;
}

bool rule_deadlock(struct verdict *verdict, const struct verdict_input *input)
{
	struct stuck_cpu stuck;
	bool is_stuck = verdict_stuck_cpu(input, &stuck);
	const struct task *current = is_stuck ? verdict_current(input, stuck.number) : NULL;

	if ((is_stuck && !current) || !find_cycle(input, current, &verdict->cycle)) {
		verdict->cycle.count = 0;
		return false;
	}
	rotate(&verdict->cycle, current ? verdict_place(input, current) : LOCK_NONE);
	const struct task *first = &input->tasks->list.data[verdict->cycle.tasks[0]];
	verdict->kind = "deadlock";
	verdict_blame(verdict, input, first, locks_asking_frame(input->kernel, &first->stack));
	verdict->lock = locks_waited_for(input->locks, verdict->cycle.tasks[0]);
	verdict->confidence = verdict->cycle.certain ? CONFIDENCE_CERTAIN : CONFIDENCE_SUSPECT;
	verdict->stuck_s = is_stuck ? stuck.seconds : -1;
	if (is_stuck)
		verdict_add_stuck(verdict, &stuck);
	for (size_t i = 0; i < verdict->cycle.count && i < WAIT_CYCLE_MAX; i++)
		verdict_add_wait(verdict, input, verdict->cycle.tasks[i]);
	if (is_stuck)
		verdict_add_watchdog(verdict, input->dmesg);
	describe(verdict, input, first);
	verdict_sign(verdict, input->kernel, &first->stack);
	return true;
}
