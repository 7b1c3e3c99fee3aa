// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt_mutex (kernel/locking/rtmutex.c): the task itself points to its waiter,
 * which names the task and the lock, and is a node of the lock's tree. With
 * PREEMPT_RT most other locks are made of one: which, the functions on the stack tell.
 */
#include <string.h>

#include "state/lock_finder.h"

#define HAS_WAITERS 0x1ull /* RT_MUTEX_HAS_WAITERS, in the owner's low bit */
#define RB_COLOR    0x3ull /* what else is in __rb_parent_color */

/* Whether the node above says that @node is below it. */
static bool is_in_tree(struct lock_finder *finder, uint64_t lock, uint64_t node)
{
	const __typeof__(finder->layout.rt) *l = &finder->layout.rt;
	uint64_t parent = lock_read(finder, node, &l->rb_parent) & ~RB_COLOR;

	if (!parent)
		return lock_read(finder, lock, &l->root) == node;
	return lock_read(finder, parent, &l->rb_left) == node ||
	       lock_read(finder, parent, &l->rb_right) == node;
}

static enum lock_type type_of(struct lock_finder *finder)
{
	static const struct {
		const char *prefix;
		enum lock_type type;
	} users[] = {
		{ "rt_spin_", LOCK_SPINLOCK },	{ "rt_read_", LOCK_RWLOCK },
		{ "rt_write_", LOCK_RWLOCK },	{ "mutex_lock", LOCK_MUTEX },
		{ "__mutex_lock", LOCK_MUTEX }, { "rwbase_", LOCK_RWSEM },
		{ "__rwbase_", LOCK_RWSEM },	{ "down_", LOCK_RWSEM },
		{ "rwsem_down_", LOCK_RWSEM },
	};
	const struct stack *stack = &finder->task->stack;
	enum lock_type ret = LOCK_RT_MUTEX;

	/* The outermost one is what was asked for. */
	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct symbol symbol =
			symbols_lookup(&finder->kernel->symbols, stack->frames.data[i].pc - 1);
		for (size_t j = 0; symbol.name && j < sizeof(users) / sizeof(users[0]); j++)
			if (!symbol.module &&
			    !strncmp(symbol.name, users[j].prefix, strlen(users[j].prefix)))
				ret = users[j].type;
	}
	return ret;
}

uint32_t lock_find_rt_mutex(struct lock_finder *finder)
{
	const __typeof__(finder->layout.rt) *l = &finder->layout.rt;
	const struct task *task = finder->task;
	uint64_t waiter = lock_read(finder, task->address, &finder->layout.pi_blocked_on);

	if (!waiter || !l->tree.size || !l->root.size || !l->rb_parent.size ||
	    lock_read(finder, waiter, &l->task) != task->address)
		return LOCK_NONE;
	uint64_t address = lock_read(finder, waiter, &l->lock);
	if (!lock_plausible(address) || !is_in_tree(finder, address, waiter + l->tree.offset))
		return LOCK_NONE;
	uint64_t owner = lock_read(finder, address, &l->owner) & ~HAS_WAITERS;
	enum lock_type type = type_of(finder);
	if (type == LOCK_RWSEM)
		address -= l->in_rwsem.offset;
	uint32_t lock = lock_add(finder, type, address);
	if (lock != LOCK_NONE && !finder->locks->list.data[lock].holders.count)
		lock_add_holder(finder, lock, owner, NULL);
	return lock;
}
