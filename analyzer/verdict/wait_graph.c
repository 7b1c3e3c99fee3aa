// SPDX-License-Identifier: GPL-2.0-only
#include "verdict/wait_graph.h"

#include "base/cleanup.h"

enum colour { WHITE, GREY, BLACK }; /* not seen, on the way, done with */

struct step {
	uint32_t task;
	uint32_t next; /* of the holders of what it waits for */
};

struct search {
	const struct locks *locks;
	bool certain; /* only holders that are */
	uint8_t *colours; /* by task */
	struct step *path;
	size_t depth;
};

static const struct lock_holder *next_holder(const struct search *search, struct step *step)
{
	const struct lock *lock = locks_waited_for(search->locks, step->task);

	while (lock && step->next < lock->holders.count) {
		const struct lock_holder *holder = &lock->holders.data[step->next++];
		if (holder->certain || !search->certain)
			return holder;
	}
	return NULL;
}

static void take_cycle(const struct search *search, uint32_t closes_at, struct wait_cycle *ret)
{
	size_t first = search->depth - 1;

	while (search->path[first].task != closes_at)
		first--;
	*ret = (struct wait_cycle){ .count = search->depth - first, .certain = true };
	for (size_t i = first; i < search->depth; i++) {
		const struct step *step = &search->path[i];
		const struct lock *lock = locks_waited_for(search->locks, step->task);
		/* next is already behind the holder that the path went to. */
		ret->certain &= lock->holders.data[step->next - 1].certain;
		if (i - first < WAIT_CYCLE_MAX)
			ret->tasks[i - first] = step->task;
	}
}

static void enter(struct search *search, uint32_t task)
{
	search->colours[task] = GREY;
	search->path[search->depth++] = (struct step){ .task = task };
}

/* A task is entered once, so the path is never longer than there are tasks. */
static bool search_from(struct search *search, uint32_t task, struct wait_cycle *ret)
{
	if (search->colours[task] != WHITE)
		return false;
	enter(search, task);
	while (search->depth) {
		struct step *step = &search->path[search->depth - 1];
		const struct lock_holder *holder = next_holder(search, step);
		if (!holder) {
			search->colours[step->task] = BLACK;
			search->depth--;
		} else if (search->colours[holder->task] == GREY) {
			take_cycle(search, holder->task, ret);
			return true;
		} else if (search->colours[holder->task] == WHITE) {
			enter(search, holder->task);
		}
	}
	return false;
}

static bool find(const struct locks *locks, bool certain, uint32_t from, struct wait_cycle *ret)
{
	_cleanup_free_ uint8_t *colours = calloc(locks->nr_tasks + 1, sizeof(*colours));
	_cleanup_free_ struct step *path = calloc(locks->nr_tasks + 1, sizeof(*path));
	struct search search = {
		.locks = locks,
		.certain = certain,
		.colours = colours,
		.path = path,
	};

	if (!colours || !path)
		return false;
	if (from != LOCK_NONE)
		return from < locks->nr_tasks && search_from(&search, from, ret);
	for (uint32_t i = 0; i < locks->nr_tasks; i++)
		if (search_from(&search, i, ret))
			return true;
	return false;
}

bool wait_graph_cycle(const struct locks *locks, uint32_t from, struct wait_cycle *ret)
{
	return find(locks, true, from, ret) || find(locks, false, from, ret);
}

uint32_t wait_graph_head(const struct locks *locks, uint32_t task, size_t *steps_ret)
{
	const struct lock *lock;

	/* In a cycle there is no end: as many steps as there are tasks have shown all of it. */
	for (*steps_ret = 0; *steps_ret < locks->nr_tasks; ++*steps_ret) {
		lock = locks_waited_for(locks, task);
		if (!lock || !lock->holders.count || lock->holders.data[0].task == task)
			break;
		task = lock->holders.data[0].task;
	}
	return task;
}
