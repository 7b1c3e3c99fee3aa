// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose work a completion waits for. It has no holder, but some are part of
 * something that has: task_struct.vfork_done is what the end of the task
 * completes, for a child of vfork() (kernel/fork.c) and for a kernel thread,
 * where it is kthread.exited, for kthread_stop() (kernel/kthread.c). A flush of
 * work is told of in lock_workqueues.c.
 */
#include "state/lock_finder.h"

#include "state/lock_workers.h"

struct completions {
	struct address_map exits, parks; /* completion -> the task that ends it */
	struct lock_workers workers;
};

/* One read for each task: only where somebody waits for a completion. */
static void read_tasks(struct lock_finder *finder, struct completions *c)
{
	const struct types *types = finder->kernel->symbols.types;
	struct member vfork_done, exited, parked;

	types_member(types, "task_struct", "vfork_done", &vfork_done);
	types_member(types, "kthread", "exited", &exited);
	types_member(types, "kthread", "parked", &parked);
	for (uint32_t i = 0; vfork_done.size && i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
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
		if (!find_task(finder, &c, i))
			lock_explain_flush(finder, &c.workers, i);
	}
	address_map_deinit(&c.exits);
	address_map_deinit(&c.parks);
	lock_workers_deinit(&c.workers);
}
