// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that waits for another to run a function: that other one has its
 * interrupts off, or it would have. What it does instead, or who holds the lock
 * that it spins for, is to blame.
 */
#include <stdio.h>

#include "verdict/verdict.h"

#define CONFIDENCE 0.85

bool rule_ipi_wait(struct verdict *verdict, const struct verdict_input *input)
{
	struct stuck_cpu stuck, deaf;
	const struct task *waiter;
	char what[LOCK_TEXT_SIZE];
	size_t steps;

	if (!verdict_stuck_spinner(input, true, &stuck, &waiter))
		return false;
	const struct lock *lock = locks_waited_for(input->locks, verdict_place(input, waiter));
	if (!lock->holders.count)
		return false;
	uint32_t head = wait_graph_head(input->locks, verdict_place(input, waiter), &steps);
	const struct task *culprit = &input->tasks->list.data[head];
	verdict->kind = "ipi-wait";
	verdict->lock = lock;
	verdict->stuck_s = stuck.seconds;
	verdict_add_stuck(verdict, &stuck);
	verdict_add_wait(verdict, input, verdict_place(input, waiter));
	if (culprit->running && verdict_is_deaf(input, culprit->cpu, &deaf))
		verdict_add_stuck(verdict, &deaf);
	if (lock->holders.count > 1)
		verdict_add_evidence(verdict, "%zu CPUs have not answered", lock->holders.count);
	verdict_blame(verdict, input, culprit, locks_asking_frame(input->kernel, &culprit->stack));
	verdict_blame_stuck(verdict, input, culprit);
	verdict->confidence = CONFIDENCE;
	lock_describe(lock, what, sizeof(what));
	snprintf(
		verdict->summary, sizeof(verdict->summary),
		"CPU %u did not schedule for %.1f s: %s (pid %u) waits for %s; %s (pid %u) keeps it "
		"from that, in %s.",
		waiter->cpu, verdict->stuck_s, waiter->comm, waiter->pid, what, culprit->comm,
		culprit->pid, verdict->function ? verdict->function : "unknown code");
	verdict_call_lockup(verdict);
	verdict_sign(verdict, input->kernel, &culprit->stack);
	return true;
}
