// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushes of work (kernel/workqueue.c).
 *
 * flush_work() and cancel_work_sync() queue a struct wq_barrier, which is on the
 * waiter's stack with the completion, behind the work that they wait for: on
 * the list of the worker that does it, or on the list that it waits on itself.
 * That it is one its function says, wq_barrier_func().
 *
 * flush_workqueue() has a struct wq_flusher there, which the workqueue knows. It waits for all work
 * of its color; a worker remembers the color of what it does since 5.15 (d812796eb390).
 */
#include "state/lock_workers.h"

#include <stdio.h>

#include "dump/list.h"

#define NO_COLOR	 UINT64_MAX
#define MAX_STEPS	 65536 /* over workqueues and who flushes them */
#define WORK_FLAGS	 0xffull /* WORK_STRUCT_FLAG_MASK, */
#define WORK_FLAGS_DEBUG 0x1ffull /* ... with CONFIG_DEBUG_OBJECTS_WORK */
#define WQ_NAME		 32

static void resolve(struct lock_workers *workers, const struct types *types)
{
	__typeof__(workers->layout) *l = &workers->layout;
	const struct member_wanted wanted[] = {
		{ "kthread", "data", &l->data, true },
		{ "worker", "task", &l->task, true },
		{ "worker", "current_work", &l->work, true },
		{ "worker", "current_func", &l->function, true },
		{ "worker", "current_pwq", &l->pwq, true },
		{ "worker", "current_color", &l->color, true },
		{ "worker", "pool", &l->pool, true },
		{ "worker", "scheduled", &l->scheduled, true },
		{ "work_struct", "entry", &l->entry, true },
		{ "work_struct", "func", &l->work_function, true },
		{ "work_struct", "data", &l->work_data, true },
		{ "wq_barrier", "work", &l->barrier_work, true },
		{ "wq_barrier", "done", &l->barrier_done, true },
		{ "wq_flusher", "done", &l->flusher_done, true },
		{ "wq_flusher", "flush_color", &l->flusher_color, true },
		{ "wq_flusher", "list", &l->flusher_list, true },
		{ "pool_workqueue", "wq", &l->wq, true },
		{ "pool_workqueue", "pool", &l->wq_pool, true },
		/* 5.15 (f97a4a1a3f87) */
		{ "pool_workqueue", "inactive_works|delayed_works", &l->inactive, true },
		{ "worker_pool", "worklist", &l->worklist, true },
		{ "worker_pool", "cpu", &l->cpu, true },
		{ "workqueue_struct", "name", &l->name, true },
		{ "workqueue_struct", "list", &l->list, true },
		{ "workqueue_struct", "first_flusher", &l->first_flusher, true },
		{ "workqueue_struct", "flusher_queue", &l->queue, true },
		{ "workqueue_struct", "flusher_overflow", &l->overflow, true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	workers->resolved = true;
}

void lock_workers_add(struct lock_workers *workers, struct lock_finder *finder, uint32_t place,
		      uint64_t kthread)
{
	const __typeof__(workers->layout) *l = &workers->layout;

	if (!workers->resolved)
		resolve(workers, finder->kernel->symbols.types);
	uint64_t worker = lock_read(finder, kthread, &l->data);
	if (!lock_plausible(worker) || !l->scheduled.size ||
	    lock_read(finder, worker, &l->task) != finder->tasks->list.data[place].address ||
	    !lock_read(finder, worker, &l->work))
		return;
	struct lock_worker *new = vector_push(&workers->list);
	if (!new)
		return;
	*new = (struct lock_worker){
		.task = place,
		.scheduled = worker + l->scheduled.offset,
		.function = lock_read(finder, worker, &l->function),
		.pwq = lock_read(finder, worker, &l->pwq),
		.pool = lock_read(finder, worker, &l->pool),
		.color = l->color.size ? lock_read(finder, worker, &l->color) : NO_COLOR,
	};
}

void lock_workers_deinit(struct lock_workers *workers)
{
	vector_deinit(&workers->list);
	vector_deinit(&workers->flushed);
	address_map_deinit(&workers->flushers);
}

/* "work FUNCTION [MODULE] of workqueue NAME"; a function of 0 is not named. */
static void describe(struct lock_finder *finder, const struct lock_workers *workers,
		     uint64_t function, uint64_t wq, char *ret, size_t size)
{
	char name[WQ_NAME] = "";
	struct symbol symbol = {};

	if (lock_plausible(function))
		symbol = symbols_lookup(&finder->kernel->symbols, function);
	if (lock_plausible(wq) && workers->layout.name.size)
		error_destroy(memory_read_string(finder->memory, wq + workers->layout.name.offset,
						 name, sizeof(name)));
	snprintf(ret, size, "%s%s%s%s%s%s%s", symbol.name ? "work " : "work",
		 symbol.name ? symbol.name : "", symbol.module ? " [" : "",
		 symbol.module ? symbol.module->name : "", symbol.module ? "]" : "",
		 name[0] ? " of workqueue " : "", name);
}

static void add_worker(struct lock_finder *finder, const struct lock_worker *worker, uint32_t lock,
		       const char *why)
{
	lock_add_holder(finder, lock, finder->tasks->list.data[worker->task].address, why);
}

/* The worker on whose list the barrier is. */
static const struct lock_worker *worker_of(struct lock_finder *finder,
					   const struct lock_workers *workers,
					   const struct lock_ring *ring)
{
	for (size_t i = 0; i < workers->list.count; i++)
		if (lock_ring_has(&finder->rings, ring, workers->list.data[i].scheduled))
			return &workers->list.data[i];
	return NULL;
}

/* The function of the work that is before the barriers at @node of a list that begins with @head; 0: there is none. */
static uint64_t function_before(struct lock_finder *finder, const struct lock_workers *workers,
				const struct lock_ring *ring, uint64_t node, uint64_t head)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	static const struct member prev = { .offset = 8, .size = 8 };

	for (size_t i = 0; i < ring->count; i++) {
		node = lock_read(finder, node, &prev);
		if (node == head)
			return 0;
		uint64_t function = lock_read(finder, node - l->entry.offset, &l->work_function);
		if (function != finder->kernel->symbols.at[KSYM_wq_barrier_func])
			return function;
	}
	return 0;
}

/* The pool_workqueue of a work that nobody does yet: its list, which the work is on, proves it. *@head_ret: of the list. */
static uint64_t pwq_of(struct lock_finder *finder, const struct lock_workers *workers,
		       const struct lock_ring *ring, uint64_t work, uint64_t *head_ret)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	static const uint64_t flags[] = { WORK_FLAGS, WORK_FLAGS_DEBUG };
	uint64_t data = lock_read(finder, work, &l->work_data);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t pwq = data & ~flags[i];
		if (!lock_plausible(pwq))
			continue;
		uint64_t pool = lock_read(finder, pwq, &l->wq_pool);
		const uint64_t heads[] = { pool + l->worklist.offset, pwq + l->inactive.offset };
		for (size_t j = 0; pool && j < sizeof(heads) / sizeof(heads[0]); j++) {
			*head_ret = heads[j];
			if (lock_ring_has(&finder->rings, ring, heads[j]))
				return pwq;
		}
	}
	return 0;
}

/* In a pool of a CPU that nobody works in, a worker has yet to get that CPU. */
static void add_occupant(struct lock_finder *finder, const struct lock_workers *workers,
			 uint64_t pool, uint32_t lock)
{
	uint64_t number = lock_read(finder, pool, &workers->layout.cpu);
	const struct cpu *cpu =
		workers->layout.cpu.size ? cpus_find(finder->cpus, (uint32_t)number) : NULL;
	const struct task *task = cpu ? tasks_find(finder->tasks, cpu->current) : NULL;
	char why[64];

	if (!task || !task->pid)
		return;
	snprintf(why, sizeof(why), "runs on CPU %u, where the work is to be done", cpu->number);
	lock_add_holder(finder, lock, task->address, why);
}

/*
 * Work that nobody does yet: one that waits for room in its workqueue waits for what is done of that, one that waits
 * in its pool for those of the pool's workers that run.
 */
static void explain_queued(struct lock_finder *finder, const struct lock_workers *workers,
			   const struct lock_ring *ring, uint32_t lock, uint64_t work)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	char what[256], why[320];
	uint64_t head = 0, pwq = pwq_of(finder, workers, ring, work, &head);

	if (!pwq) {
		lock_set_detail(finder, lock, "until work is done");
		return;
	}
	uint64_t node = work + l->entry.offset, wq = lock_read(finder, pwq, &l->wq);
	uint64_t pool = lock_read(finder, pwq, &l->wq_pool);
	bool inactive = head == pwq + l->inactive.offset;
	/* Those of a pool that is no CPU's do not wait for each other: WORKER_NOT_RUNNING, kernel/workqueue.c. */
	bool is_unbound = l->cpu.size && (int32_t)lock_read(finder, pool, &l->cpu) < 0;
	describe(finder, workers, function_before(finder, workers, ring, node, head), wq, what,
		 sizeof(what));
	lock_set_detail(finder, lock, "until %s is done, which has not begun", what);
	for (size_t i = 0; !(is_unbound && !inactive) && i < workers->list.count; i++) {
		const struct lock_worker *worker = &workers->list.data[i];
		const struct task *task = &finder->tasks->list.data[worker->task];
		if (inactive ? worker->pwq != pwq : worker->pool != pool || task->state != 'R')
			continue;
		describe(finder, workers, worker->function, lock_read(finder, worker->pwq, &l->wq),
			 what, sizeof(what));
		snprintf(why, sizeof(why), "does %s, before which the other does not begin", what);
		add_worker(finder, worker, lock, why);
	}
	if (!inactive && !finder->locks->list.data[lock].holders.count)
		add_occupant(finder, workers, pool, lock);
}

static bool explain_barrier(struct lock_finder *finder, const struct lock_workers *workers,
			    uint32_t lock)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	uint64_t function = finder->kernel->symbols.at[KSYM_wq_barrier_func];
	uint64_t barrier = finder->locks->list.data[lock].address - l->barrier_done.offset;
	uint64_t work = barrier + l->barrier_work.offset;
	char what[256];

	if (!function || !l->barrier_done.size || !l->barrier_work.size || !l->entry.size ||
	    lock_read(finder, work, &l->work_function) != function)
		return false;
	uint64_t node = work + l->entry.offset;
	const struct lock_ring *ring = lock_rings_find(&finder->rings, finder->memory, node);
	const struct lock_worker *worker = ring ? worker_of(finder, workers, ring) : NULL;
	if (!ring) {
		lock_set_detail(finder, lock, "until work is done");
		return true;
	}
	if (!worker) {
		explain_queued(finder, workers, ring, lock, work);
		return true;
	}
	uint64_t before = function_before(finder, workers, ring, node, worker->scheduled);
	describe(finder, workers, before ? before : worker->function,
		 lock_read(finder, worker->pwq, &l->wq), what, sizeof(what));
	lock_set_detail(finder, lock, "until %s is done", what);
	add_worker(finder, worker, lock, NULL);
	return true;
}

static void add_flushers(struct lock_finder *finder, struct lock_workers *workers, uint64_t head,
			 size_t *steps)
{
	struct list_walk walk;
	struct error *err = NULL;

	list_walk_init(&walk, finder->memory, head, 0);
	while (++*steps < MAX_STEPS && list_walk_next(&walk, &err))
		address_map_put(&workers->flushers, walk.object, workers->flushed.count - 1);
	error_destroy(err);
}

/* Who flushes which workqueue: of all at once, for many tasks may wait for completions that are no flusher's. */
static void read_flushers(struct lock_finder *finder, struct lock_workers *workers)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	struct list_walk walk;
	struct error *err = NULL;
	size_t steps = 0;

	workers->flushers_read = true;
	list_walk_init(&walk, finder->memory, finder->kernel->symbols.at[KSYM_workqueues],
		       l->list.offset);
	while (++steps < MAX_STEPS && list_walk_next(&walk, &err)) {
		uint64_t first = lock_read(finder, walk.object, &l->first_flusher);
		/* Further ones queue up only behind a first. */
		uint64_t *flushed = first ? vector_push(&workers->flushed) : NULL;
		if (!flushed)
			continue;
		*flushed = walk.object;
		address_map_put(&workers->flushers, first + l->flusher_list.offset,
				workers->flushed.count - 1);
		add_flushers(finder, workers, walk.object + l->queue.offset, &steps);
		add_flushers(finder, workers, walk.object + l->overflow.offset, &steps);
	}
	error_destroy(err);
}

/* The workqueue that @flusher flushes; 0: none. */
static uint64_t flushed_by(struct lock_finder *finder, struct lock_workers *workers,
			   uint64_t flusher)
{
	if (!workers->flushers_read)
		read_flushers(finder, workers);
	uint32_t place =
		address_map_get(&workers->flushers, flusher + workers->layout.flusher_list.offset);
	return place == ADDRESS_MAP_NONE ? 0 : workers->flushed.data[place];
}

static bool explain_flusher(struct lock_finder *finder, struct lock_workers *workers, uint32_t lock)
{
	const __typeof__(workers->layout) *l = &workers->layout;
	uint64_t flusher = finder->locks->list.data[lock].address - l->flusher_done.offset;
	char what[256], why[320];

	if (!finder->kernel->symbols.at[KSYM_workqueues] || !l->flusher_done.size ||
	    !l->list.size || !l->first_flusher.size)
		return false;
	uint64_t wq = flushed_by(finder, workers, flusher);
	if (!wq)
		return false;
	uint64_t color = lock_read(finder, flusher, &l->flusher_color);
	bool first = lock_read(finder, wq, &l->first_flusher) == flusher;
	describe(finder, workers, 0, wq, what, sizeof(what));
	lock_set_detail(finder, lock, "until all %s is done", what);
	for (size_t i = 0; i < workers->list.count; i++) {
		const struct lock_worker *worker = &workers->list.data[i];
		if (lock_read(finder, worker->pwq, &l->wq) != wq)
			continue;
		/* Another color is newer, but where others flush it may be what they wait for. */
		if (first && worker->color != color && worker->color != NO_COLOR)
			continue;
		describe(finder, workers, worker->function, 0, what, sizeof(what));
		snprintf(why, sizeof(why), "does %s of it", what);
		add_worker(finder, worker, lock, worker->color == color ? NULL : why);
	}
	return true;
}

bool lock_explain_flush(struct lock_finder *finder, struct lock_workers *workers, uint32_t lock)
{
	if (!workers->resolved)
		resolve(workers, finder->kernel->symbols.types);
	return explain_barrier(finder, workers, lock) || explain_flusher(finder, workers, lock);
}
