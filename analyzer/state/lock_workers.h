/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's workers, and who waits for what they do. */
#ifndef LOCKDUMP_LOCK_WORKERS_H
#define LOCKDUMP_LOCK_WORKERS_H

#include "state/lock_finder.h"

/* One that works on something. */
struct lock_worker {
	uint32_t task; /* place in tasks->list */
	uint64_t scheduled; /* the list of what it does next */
	uint64_t function, pwq, pool, color; /* of what it does; without a color: -1 */
};

struct lock_workers {
	bool resolved;
	struct {
		struct member data; /* of a kthread */
		struct member task, work, function, pwq, pool, color, scheduled; /* of a worker */
		struct member entry, work_function, work_data; /* of a work_struct */
		struct member barrier_work, barrier_done; /* of a wq_barrier */
		struct member flusher_done, flusher_color, flusher_list; /* of a wq_flusher */
		struct member wq, wq_pool, inactive; /* of a pool_workqueue */
		struct member worklist, cpu; /* of a worker_pool */
		struct member name, list, first_flusher, queue, overflow; /* of a workqueue */
	} layout;
	VECTOR(struct lock_worker) list;
	bool flushers_read;
	VECTOR(uint64_t) flushed; /* workqueues that somebody flushes */
	struct address_map flushers; /* the list_head of each wq_flusher -> place in flushed */
};

/* Looks whether the kernel thread at @place of tasks->list, whose struct kthread is at @kthread, is a busy worker. */
void lock_workers_add(struct lock_workers *workers, struct lock_finder *finder, uint32_t place,
		      uint64_t kthread);
void lock_workers_deinit(struct lock_workers *workers);

/* Whether somebody waits with the completion at @lock of locks->list for work to be done; then says for which. */
bool lock_explain_flush(struct lock_finder *finder, struct lock_workers *workers, uint32_t lock);

#endif
