// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernels that are built to be debugged know: with lockdep, each task
 * lists the locks that it holds, and the one that it waits for behind them
 * (kernel/locking/lockdep.c); a debugged spinlock has an owner
 * (kernel/locking/spinlock_debug.c).
 */
#include "state/lock_finder.h"

/* Adds the task as a holder of each lock on its list of which somebody waits for. */
static void read_held(struct lock_finder *finder, const struct address_map *lock_of_map,
		      uint32_t place)
{
	const __typeof__(finder->layout.lockdep) *l = &finder->layout.lockdep;
	const struct task *task = &finder->tasks->list.data[place];
	uint64_t depth = lock_read(finder, task->address, &l->depth);
	bool waits = false;

	if (depth > l->held.count)
		return;
	while (depth--) {
		uint64_t held = task->address + l->held.offset + depth * l->held_size;
		uint32_t lock = address_map_get(lock_of_map, lock_read(finder, held, &l->instance));
		if (lock == ADDRESS_MAP_NONE)
			continue;
		/* What it waits for is the newest entry; an older one is of a lock that it has. */
		if (finder->locks->waits_for[place] == lock && !waits)
			waits = true;
		else
			lock_add_holder(finder, lock, task->address, NULL);
	}
}

void lock_read_lockdep(struct lock_finder *finder)
{
	const __typeof__(finder->layout.lockdep) *l = &finder->layout.lockdep;
	const struct locks *locks = finder->locks;
	struct address_map lock_of_map = {};

	for (uint32_t i = 0; i < locks->list.count; i++) {
		const struct lock *lock = &locks->list.data[i];
		if (lock->spinning && lock->type == LOCK_SPINLOCK)
			lock_add_holder(
				finder, i,
				lock_read(finder, lock->address, &finder->layout.spin.owner), NULL);
		if (l->map[lock->type].size)
			address_map_put(&lock_of_map, lock->address + l->map[lock->type].offset, i);
	}
	if (l->depth.size && l->held_size && l->instance.size && lock_of_map.count)
		for (uint32_t i = 0; i < finder->tasks->list.count; i++)
			read_held(finder, &lock_of_map, i);
	address_map_deinit(&lock_of_map);
}
