// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose work a completion waits for. It has no holder, but some are part of
 * something that has: task_struct.vfork_done is what the end of the task
 * completes, for a child of vfork() (kernel/fork.c) and for a kernel thread,
 * where it is kthread.exited, for kthread_stop() (kernel/kthread.c). A grace
 * period of RCU waits for CPUs. A flush of work is told of in lock_workqueues.c.
 */
#include "state/lock_workers.h"

#include <stdio.h>

#define LONG_GRACE_PERIOD SECOND_NS /* what one lasts before anybody is to blame for it */
/* CPUs that are named to each who waits for RCU; cpu_state.h has all of them. */
#define MAX_RCU_CPUS	  16

struct completions {
	struct address_map exits, parks; /* completion -> the task that ends it */
	struct lock_workers workers;
};

/* The processes of those that wait for completions: who waits for a child is its parent. */
static void find_parents(struct lock_finder *finder, struct address_map *parents)
{
	for (size_t i = 0; i < finder->locks->list.count; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		for (size_t j = 0; lock->type == LOCK_COMPLETION && j < lock->waiters.count; j++)
			address_map_put(parents,
					finder->tasks->list.data[lock->waiters.data[j]].tgid, 0);
	}
}

/* Only of those tasks that somebody may wait for: it takes a page of the dump for each. */
static void read_tasks(struct lock_finder *finder, struct completions *c)
{
	const struct types *types = finder->kernel->symbols.types;
	struct member vfork_done, exited, parked;
	struct address_map parents = {};

	find_parents(finder, &parents);
	types_member(types, "task_struct", "vfork_done", &vfork_done);
	types_member(types, "kthread", "exited", &exited);
	types_member(types, "kthread", "parked", &parked);
	for (uint32_t i = 0; vfork_done.size && i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
		if (!task->kernel_thread &&
		    address_map_get(&parents, task->ppid) == ADDRESS_MAP_NONE)
			continue;
		uint64_t address = lock_read(finder, task->address, &vfork_done);
		if (!lock_plausible(address) || task->state == 'Z' || task->state == 'X')
			continue;
		address_map_put(&c->exits, address, i);
		if (!task->kernel_thread || !exited.size)
			continue;
		uint64_t kthread = address - exited.offset;
		if (parked.size)
			address_map_put(&c->parks, kthread + parked.offset, i);
		lock_workers_add(&c->workers, finder, i, kthread);
	}
	address_map_deinit(&parents);
}

/* Names whose end the completion at @place is. */
static bool find_task(struct lock_finder *finder, const struct completions *c, uint32_t place)
{
	uint64_t address = finder->locks->list.data[place].address;
	uint32_t exits = address_map_get(&c->exits, address);
	uint32_t task = exits != ADDRESS_MAP_NONE ? exits : address_map_get(&c->parks, address);

	if (task == ADDRESS_MAP_NONE)
		return false;
	const struct task *its = &finder->tasks->list.data[task];
	lock_set_detail(finder, place, "%s",
			exits == ADDRESS_MAP_NONE ? "until the kernel thread is parked"
			: its->kernel_thread	  ? "until the kernel thread ends"
					     : "until the child of vfork() runs a program or ends");
	lock_add_holder(finder, place, its->address, NULL);
	return true;
}

/*
 * synchronize_rcu() and the like (kernel/rcu/update.c) wait for a grace period, and that for CPUs. Not those of other
 * kinds of RCU, synchronize_srcu() for one.
 */
static bool explain_rcu(struct lock_finder *finder, uint32_t place)
{
	const struct cpu_states *states = finder->states;
	char why[96];

	if (!lock_is_asked_by(finder, place, "synchronize_rcu") &&
	    !lock_is_asked_by(finder, place, "synchronize_rcu_normal"))
		return false;
	lock_set_detail(finder, place, "until an RCU grace period ends");
	if (!states || states->grace_period_ns == CLOCK_UNKNOWN ||
	    states->grace_period_ns < LONG_GRACE_PERIOD)
		return true;
	unsigned int named = 0;
	for (size_t i = 0; i < states->list.count && i < finder->cpus->list.count; i++) {
		const struct cpu *cpu = &finder->cpus->list.data[i];
		if (!states->list.data[i].holds_up_rcu)
			continue;
		if (named++ == MAX_RCU_CPUS)
			break;
		snprintf(why, sizeof(why), "runs on CPU %u, for which RCU has waited for %.1f s",
			 cpu->number, states->grace_period_ns / 1e9);
		lock_add_holder(finder, place, cpu->current, why);
	}
	return true;
}

void lock_explain_completions(struct lock_finder *finder)
{
	struct completions c = {};
	bool read = false;

	for (uint32_t i = 0; i < finder->locks->list.count; i++) {
		if (finder->locks->list.data[i].type != LOCK_COMPLETION)
			continue;
		if (!read)
			read_tasks(finder, &c);
		read = true;
		if (!find_task(finder, &c, i) && !explain_rcu(finder, i))
			lock_explain_flush(finder, &c.workers, i);
	}
	address_map_deinit(&c.exits);
	address_map_deinit(&c.parks);
	lock_workers_deinit(&c.workers);
}
