// SPDX-License-Identifier: GPL-2.0-only
/* Where locks and waiters have what is looked at. Whatever a kernel lacks, its family is not looked for. */
#include "state/lock_finder.h"

#include <string.h>

/* struct rt_mutex_base is what struct rt_mutex was until 5.15 (830e6acc8a1c). */
static void resolve_rt(const struct types *types, struct lock_layout *l)
{
	const char *base = types_sizeof(types, "rt_mutex_base") ? "rt_mutex_base" : "rt_mutex";
	const struct member_wanted wanted[] = {
		/* The two trees became nodes with their own keys in 6.6 (f7853c34241b), and before for RT. */
		{ "rt_mutex_waiter", "tree.entry|tree_entry|tree", &l->rt.tree, true },
		{ "rt_mutex_waiter", "task", &l->rt.task, true },
		{ "rt_mutex_waiter", "lock", &l->rt.lock, true },
		{ base, "waiters.rb_root.rb_node", &l->rt.root, true },
		{ base, "owner", &l->rt.owner, true },
		{ "rb_node", "__rb_parent_color", &l->rt.rb_parent, true },
		{ "rb_node", "rb_left", &l->rt.rb_left, true },
		{ "rb_node", "rb_right", &l->rt.rb_right, true },
		/* PREEMPT_RT's rw_semaphore has one inside. */
		{ "rw_semaphore", "rwbase.rtmutex", &l->rt.in_rwsem, true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void resolve_queues(const struct types *types, struct lock_layout *l)
{
	const struct member_wanted wanted[] = {
		{ "wait_queue_entry", "func", &l->queue.function, true },
		{ "wait_queue_entry", "private", &l->queue.private, true },
		{ "wait_queue_entry", "entry", &l->queue.entry, true },
		{ "wait_queue_head", "head", &l->queue.head, true },
		{ "wait_page_queue", "folio|page", &l->queue.page, true },
		{ "wait_page_queue", "bit_nr", &l->queue.page_bit, true },
		{ "wait_page_queue", "wait", &l->queue.page_wait, true },
		{ "wait_bit_queue_entry", "key.flags", &l->queue.word, true },
		{ "wait_bit_queue_entry", "key.bit_nr", &l->queue.word_bit, true },
		{ "wait_bit_queue_entry", "wq_entry", &l->queue.word_wait, true },
		{ "percpu_rw_semaphore", "waiters.head", &l->queue.percpu_queue, true },
		{ "percpu_rw_semaphore", "writer.task", &l->queue.percpu_writer, true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

/* What only kernels have that are built to be debugged. */
static void resolve_debug(const struct types *types, struct lock_layout *l)
{
	struct member rwlock;
	const struct member_wanted wanted[] = {
		{ "raw_spinlock", "owner", &l->owner[LOCK_SPINLOCK], true },
		/* rwlock_t is the name of no struct, but there is one in this. */
		{ "fasync_struct", "fa_lock", &rwlock, true },
		{ "fasync_struct", "fa_lock.owner", &l->owner[LOCK_RWLOCK], true },
		{ "fasync_struct", "fa_lock.dep_map", &l->lockdep.map[LOCK_RWLOCK], true },
		{ "task_struct", "lockdep_depth", &l->lockdep.depth, true },
		{ "task_struct", "held_locks", &l->lockdep.held, true },
		{ "held_lock", "instance", &l->lockdep.instance, true },
		{ "raw_spinlock", "dep_map", &l->lockdep.map[LOCK_SPINLOCK], true },
		{ "mutex", "dep_map", &l->lockdep.map[LOCK_MUTEX], true },
		{ "rw_semaphore", "dep_map", &l->lockdep.map[LOCK_RWSEM], true },
		{ "rt_mutex", "dep_map", &l->lockdep.map[LOCK_RT_MUTEX], true },
		{ "percpu_rw_semaphore", "dep_map", &l->lockdep.map[LOCK_PERCPU_RWSEM], true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	l->owner[LOCK_RWLOCK].offset -= rwlock.offset;
	l->lockdep.map[LOCK_RWLOCK].offset -= rwlock.offset;
	l->lockdep.held_size = l->lockdep.held.size;
}

void lock_layout_init(struct lock_layout *l, const struct types *types)
{
	const struct member_wanted wanted[] = {
		{ "mutex_waiter", "list", &l->mutex.list, true },
		{ "mutex_waiter", "task", &l->mutex.task, true },
		/* One pointer instead of a list_head since 7.1 (25500ba7e77c, and its neighbours). */
		{ "mutex", "wait_list", &l->mutex.head, true },
		{ "mutex", "first_waiter", &l->mutex.first, true },
		{ "mutex", "owner", &l->mutex_owner, true },
		{ "rwsem_waiter", "list", &l->rwsem.list, true },
		{ "rwsem_waiter", "task", &l->rwsem.task, true },
		{ "rw_semaphore", "wait_list", &l->rwsem.head, true },
		{ "rw_semaphore", "first_waiter", &l->rwsem.first, true },
		{ "rw_semaphore", "owner", &l->rwsem_owner, true },
		{ "rw_semaphore", "count", &l->rwsem_count, true },
		{ "semaphore_waiter", "list", &l->semaphore.list, true },
		{ "semaphore_waiter", "task", &l->semaphore.task, true },
		{ "semaphore", "wait_list", &l->semaphore.head, true },
		{ "semaphore", "first_waiter", &l->semaphore.first, true },
		/* 6.16 (194a9b9e843b), with CONFIG_DETECT_HUNG_TASK_BLOCKER, as task_struct.blocker. */
		{ "semaphore", "last_holder", &l->semaphore_last_holder, true },
		{ "swait_queue", "task_list", &l->completion.list, true },
		{ "swait_queue", "task", &l->completion.task, true },
		{ "completion", "wait.task_list", &l->completion.head, true },
		{ "task_struct", "blocked_on", &l->blocked_on, true },
		{ "task_struct", "blocker", &l->blocker, true },
		{ "task_struct", "pi_blocked_on", &l->pi_blocked_on, true },
		/* A struct cfd_percpu around it from 5.13 (a5aabace5fb8) to 6.3 (1139aeb1c521 and after). */
		{ "call_function_data", "csd|pcpu", &l->ipi.requests, true },
		{ "__call_single_data", "node.u_flags|flags", &l->ipi.flags, true },
		{ "mcs_spinlock", "next", &l->spin.next, true },
		{ "mcs_spinlock", "count", &l->spin.count, true },
	};

	memset(l, 0, sizeof(*l));
	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	l->spin.node_size = types_sizeof(types, "qnode");
	if (!l->spin.node_size)
		l->spin.node_size = types_sizeof(types, "mcs_spinlock");
	resolve_rt(types, l);
	resolve_queues(types, l);
	resolve_debug(types, l);
}
