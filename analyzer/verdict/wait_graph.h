/* SPDX-License-Identifier: GPL-2.0-only */
/* Who waits for whom: a task for each holder of the lock that it waits for. */
#ifndef LOCKDUMP_WAIT_GRAPH_H
#define LOCKDUMP_WAIT_GRAPH_H

#include "state/locks.h"

#define WAIT_CYCLE_MAX 32

struct wait_cycle {
	/* Places in tasks->list; each waits for the next, the last for the first. */
	uint32_t tasks[WAIT_CYCLE_MAX];
	size_t count; /* of the cycle; above WAIT_CYCLE_MAX, not all are in tasks */
	bool certain; /* of each lock in it, the holder is */
};

/*
 * Finds a cycle that is to be come by from the task @from, or from any if it is LOCK_NONE; one of certain holders
 * if there is one. False: none, or there is no memory.
 */
bool wait_graph_cycle(const struct locks *locks, uint32_t from, struct wait_cycle *ret);

/*
 * Who keeps @task waiting in the end: from holder to holder (of several the first) to the one that waits for no
 * one. *@steps_ret: how many locks were passed; 0 where nobody holds what it waits for.
 */
uint32_t wait_graph_head(const struct locks *locks, uint32_t task, size_t *steps_ret);

#endif
