// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernels that are built to be debugged know: with lockdep, each task
 * lists the locks that it holds, and the one that it waits for behind them
 * (kernel/locking/lockdep.c); a debugged spinlock has an owner, a rwlock its
 * writer (kernel/locking/spinlock_debug.c).
 *
 * Lockdep ends with the first bug that it finds: debug_locks_off(). From then
 * on the lists stay as they were, and who is on one may have let go long ago.
 */
#include "state/lock_finder.h"

static const char since_the_end[] = "lockdep had it as a holder when it found a bug and stopped";

static bool lockdep_has_stopped(struct lock_finder *finder)
{
	uint64_t at = finder->kernel->symbols.at[KSYM_debug_locks];
	uint32_t on = 1;

	if (at)
		error_destroy(memory_read_u32(finder->memory, at, &on));
	return !on;
}

static bool is_held_for_certain(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders.count; i++)
		if (lock->holders.data[i].certain)
			return true;
	return false;
}

/* Adds the task as a holder of each lock on its list that somebody waits for; for the reason @why, if it is not certain. */
static void read_held(struct lock_finder *finder, const struct address_map *lock_of_map,
		      uint32_t place, const char *why)
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
		else if (!why || !is_held_for_certain(&finder->locks->list.data[lock]))
			lock_add_holder(finder, lock, task->address, why);
	}
}

void lock_read_lockdep(struct lock_finder *finder)
{
	const __typeof__(finder->layout.lockdep) *l = &finder->layout.lockdep;
	const struct locks *locks = finder->locks;
	struct address_map lock_of_map = {};
	const char *why = lockdep_has_stopped(finder) ? since_the_end : NULL;

	for (uint32_t i = 0; i < locks->list.count; i++) {
		const struct lock *lock = &locks->list.data[i];
		if (lock->spinning)
			lock_add_holder(
				finder, i,
				lock_read(finder, lock->address, &finder->layout.owner[lock->type]),
				NULL);
		if (l->map[lock->type].size)
			address_map_put(&lock_of_map, lock->address + l->map[lock->type].offset, i);
	}
	if (l->depth.size && l->held_size && l->instance.size && lock_of_map.count)
		for (uint32_t i = 0; i < finder->tasks->list.count; i++)
			read_held(finder, &lock_of_map, i, why);
	address_map_deinit(&lock_of_map);
}
