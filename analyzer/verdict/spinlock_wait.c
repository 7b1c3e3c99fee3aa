// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that spins for a lock is the victim: the one to blame has the lock.
 * Where nobody is suspected of that, it is the function that asked for it.
 */
#include <stdio.h>

#include "verdict/verdict.h"

#define CONFIDENCE_CERTAIN 0.9 /* the lock names its holder */
#define CONFIDENCE_SUSPECT 0.7 /* one suspect */
#define CONFIDENCE_SEVERAL 0.5
#define CONFIDENCE_NOBODY  0.4

static double confidence(const struct lock *lock)
{
	if (!lock->holders.count)
		return CONFIDENCE_NOBODY;
	if (lock->holders.data[0].certain)
		return CONFIDENCE_CERTAIN;
	return lock->holders.count == 1 ? CONFIDENCE_SUSPECT : CONFIDENCE_SEVERAL;
}

static void blame_waiter(struct verdict *verdict, const struct verdict_input *input,
			 const struct task *waiter, const char *what)
{
	verdict_blame(verdict, input, waiter, locks_asking_frame(input->kernel, &waiter->stack));
	snprintf(
		verdict->summary, sizeof(verdict->summary),
		"CPU %u did not schedule for %.1f s: %s (pid %u) spins for %s; who holds it is not "
		"known.",
		waiter->cpu, verdict->stuck_s, waiter->comm, waiter->pid, what);
	verdict_sign(verdict, input->kernel, &waiter->stack);
}

static void blame_holder(struct verdict *verdict, const struct verdict_input *input,
			 const struct task *waiter, const char *what)
{
	const struct lock_holder *holder = &verdict->lock->holders.data[0];
	const struct task *task = &input->tasks->list.data[holder->task];

	verdict_blame(verdict, input, task, locks_asking_frame(input->kernel, &task->stack));
	verdict_blame_stuck(verdict, input, task);
	verdict->confidence = confidence(verdict->lock);
	snprintf(
		verdict->summary, sizeof(verdict->summary),
		"CPU %u did not schedule for %.1f s: %s (pid %u) spins for %s, which %s (pid %u) %s, in %s.",
		waiter->cpu, verdict->stuck_s, waiter->comm, waiter->pid, what, task->comm,
		task->pid, holder->certain ? "holds" : "seems to hold",
		verdict->function ? verdict->function : "unknown code");
	verdict_sign(verdict, input->kernel, &task->stack);
}

bool rule_spinlock_wait(struct verdict *verdict, const struct verdict_input *input)
{
	struct stuck_cpu stuck;
	const struct task *waiter;
	char what[LOCK_TEXT_SIZE];

	if (!verdict_stuck_spinner(input, false, &stuck, &waiter))
		return false;
	const struct lock *lock = locks_waited_for(input->locks, verdict_place(input, waiter));
	verdict->kind = "spinlock-wait";
	verdict->lock = lock;
	verdict->stuck_s = stuck.seconds;
	verdict->confidence = confidence(lock);
	lock_describe(lock, what, sizeof(what));
	verdict_add_stuck(verdict, &stuck);
	verdict_add_wait(verdict, input, verdict_place(input, waiter));
	if (lock->waiters.count > 1)
		verdict_add_evidence(verdict, "%zu CPUs spin for it", lock->waiters.count);
	if (lock->holders.count && &input->tasks->list.data[lock->holders.data[0].task] != waiter)
		blame_holder(verdict, input, waiter, what);
	else
		blame_waiter(verdict, input, waiter, what);
	verdict_call_lockup(verdict);
	return true;
}
