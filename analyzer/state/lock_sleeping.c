// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks whose waiters sleep and stand on a list: mutex, rwsem, semaphore and
 * completion (kernel/locking/mutex.c, rwsem.c, semaphore.c, kernel/sched/swait.c).
 *
 * The waiter's structure is on its own stack, in the frame of the slow path. It
 * is taken for one only if it names the task and its links lead to neighbours
 * that lead back. The lock follows from the list: its head is the one entry that
 * is no waiter. Where a lock has a mere pointer to the first waiter (7.1), it is
 * an address among the stack's words that has such a pointer.
 */
#include <stdio.h>

#include "state/lock_finder.h"

#define MUTEX_WAITERS 0x1 /* MUTEX_FLAG_WAITERS */
#define MUTEX_PICKUP  0x4 /* MUTEX_FLAG_PICKUP: handed over to the owner, who did not take it yet */
#define MUTEX_FLAGS   0x7

#define RWSEM_WRITER	   0x1 /* of count: RWSEM_WRITER_LOCKED */
#define RWSEM_WAITERS	   0x2 /* RWSEM_FLAG_WAITERS */
#define RWSEM_READER_SHIFT 8
#define RWSEM_READER_OWNED 0x1 /* of owner */
#define RWSEM_OWNER_FLAGS  0x7

#define BLOCKER_TYPE 0x3 /* the low bits of task_struct.blocker: include/linux/hung_task.h */

/* Whether @node is in a waiter of a task that is known, on that task's stack. */
static bool is_waiter(struct lock_finder *finder, const struct list_lock_layout *l, uint64_t node)
{
	uint64_t address;
	struct error *err =
		memory_read_u64(finder->memory, node - l->list.offset + l->task.offset, &address);

	if (err) {
		error_destroy(err);
		return false;
	}
	uint32_t place = address_map_get(&finder->task_at, address);
	if (place == ADDRESS_MAP_NONE)
		return false;
	const struct task *task = &finder->tasks->list.data[place];
	return node - task->stack_base < finder->kernel->unwinder.thread_size;
}

/* The task's own waiter among the words: the address of its list_head, or 0. */
static struct lock_ring *find_waiter(struct lock_finder *finder, const struct list_lock_layout *l)
{
	for (size_t i = 0; i < finder->nr_words; i++) {
		if (finder->words[i] != finder->task->address)
			continue;
		uint64_t node = finder->words_at + i * 8 - l->task.offset + l->list.offset, next;
		if (!lock_word(finder, node, &next) || !lock_plausible(next))
			continue;
		struct lock_ring *ring = lock_rings_find(&finder->rings, finder->memory, node);
		if (ring)
			return ring;
	}
	return NULL;
}

/* The one node of the ring that is no waiter: the lock's list_head. */
static uint64_t find_head(struct lock_finder *finder, const struct list_lock_layout *l,
			  const struct lock_ring *ring)
{
	uint64_t head = 0;

	for (size_t i = 0; i < ring->count; i++) {
		uint64_t node = finder->rings.nodes.data[ring->first + i];
		if (is_waiter(finder, l, node))
			continue;
		if (head)
			return 0;
		head = node;
	}
	return head ? head - l->head.offset : 0;
}

/* Whether @address is a lock whose first waiter is in the ring. */
static bool leads_to_ring(struct lock_finder *finder, const struct list_lock_layout *l,
			  const struct lock_ring *ring, uint64_t address)
{
	/* The stack has pointers to waiters too. */
	if (!lock_plausible(address) || address % 8 ||
	    address - finder->task->stack_base < finder->kernel->unwinder.thread_size)
		return false;
	uint64_t first = lock_read(finder, address, &l->first);
	return first && lock_ring_has(&finder->rings, ring, first + l->list.offset);
}

static uint64_t find_by_words(struct lock_finder *finder, const struct list_lock_layout *l,
			      const struct lock_ring *ring,
			      bool (*has_waiters)(struct lock_finder *, uint64_t))
{
	const struct lock_layout *layout = &finder->layout;
	uint64_t hints[] = {
		lock_read(finder, finder->task->address, &layout->blocked_on),
		lock_read(finder, finder->task->address, &layout->blocker) &
			~(uint64_t)BLOCKER_TYPE,
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (leads_to_ring(finder, l, ring, hints[i]) && has_waiters(finder, hints[i]))
			return hints[i];
	for (size_t i = 0; i < finder->nr_words; i++)
		if (leads_to_ring(finder, l, ring, finder->words[i]) &&
		    has_waiters(finder, finder->words[i]))
			return finder->words[i];
	return 0;
}

static uint32_t find_lock(struct lock_finder *finder, enum lock_type type,
			  const struct list_lock_layout *l,
			  bool (*has_waiters)(struct lock_finder *, uint64_t),
			  void (*add_holders)(struct lock_finder *, uint32_t))
{
	uint64_t address;

	if (!l->list.size || !l->task.size || (!l->head.size && !l->first.size))
		return LOCK_NONE;
	struct lock_ring *ring = find_waiter(finder, l);
	if (!ring)
		return LOCK_NONE;
	if (ring->searched)
		return ring->lock;
	if (l->head.size) {
		ring->searched = true;
		address = find_head(finder, l, ring);
	} else {
		address = find_by_words(finder, l, ring, has_waiters);
	}
	if (!address && !ring->searched) {
		struct lock_pending *pending = vector_push(&finder->pending);
		if (pending)
			*pending = (struct lock_pending){ finder->task - finder->tasks->list.data,
							  ring - finder->rings.list.data };
	}
	if (!address)
		return LOCK_NONE;
	ring->searched = true;
	ring->lock = lock_add(finder, type, address);
	if (ring->lock != LOCK_NONE && add_holders)
		add_holders(finder, ring->lock);
	return ring->lock;
}

static bool mutex_has_waiters(struct lock_finder *finder, uint64_t address)
{
	return lock_read(finder, address, &finder->layout.mutex_owner) & MUTEX_WAITERS;
}

static void add_mutex_holder(struct lock_finder *finder, uint32_t lock)
{
	uint64_t owner = lock_read(finder, finder->locks->list.data[lock].address,
				   &finder->layout.mutex_owner);

	if (!(owner & MUTEX_PICKUP))
		lock_add_holder(finder, lock, owner & ~(uint64_t)MUTEX_FLAGS, NULL);
}

static bool rwsem_has_waiters(struct lock_finder *finder, uint64_t address)
{
	return lock_read(finder, address, &finder->layout.rwsem_count) & RWSEM_WAITERS;
}

/* A writer owns it; of readers, the owner is the one that came last, and may have gone before the others. */
static void add_rwsem_holder(struct lock_finder *finder, uint32_t lock)
{
	uint64_t address = finder->locks->list.data[lock].address;
	uint64_t owner = lock_read(finder, address, &finder->layout.rwsem_owner);
	uint64_t count = lock_read(finder, address, &finder->layout.rwsem_count);
	uint64_t task = owner & ~(uint64_t)RWSEM_OWNER_FLAGS;
	char why[64];

	if (count & RWSEM_WRITER) {
		lock_add_holder(finder, lock, task, NULL);
	} else if (owner & RWSEM_READER_OWNED && (int64_t)count >= 1 << RWSEM_READER_SHIFT) {
		snprintf(why, sizeof(why), "the last of its readers to come; it has %llu",
			 (unsigned long long)count >> RWSEM_READER_SHIFT);
		lock_add_holder(finder, lock, task, why);
	}
}

/* No flag of its own says so. */
static bool may_have_waiters(struct lock_finder *finder, uint64_t address)
{
	(void)finder;
	(void)address;
	return true;
}

static void add_semaphore_holder(struct lock_finder *finder, uint32_t lock)
{
	uint64_t task = lock_read(finder, finder->locks->list.data[lock].address,
				  &finder->layout.semaphore_last_holder);

	lock_add_holder(finder, lock, task, "the last to take it");
}

uint32_t lock_find_mutex(struct lock_finder *finder)
{
	return find_lock(finder, LOCK_MUTEX, &finder->layout.mutex, mutex_has_waiters,
			 add_mutex_holder);
}

uint32_t lock_find_rwsem(struct lock_finder *finder)
{
	return find_lock(finder, LOCK_RWSEM, &finder->layout.rwsem, rwsem_has_waiters,
			 add_rwsem_holder);
}

uint32_t lock_find_semaphore(struct lock_finder *finder)
{
	return find_lock(finder, LOCK_SEMAPHORE, &finder->layout.semaphore, may_have_waiters,
			 add_semaphore_holder);
}

uint32_t lock_find_completion(struct lock_finder *finder)
{
	return find_lock(finder, LOCK_COMPLETION, &finder->layout.completion, may_have_waiters,
			 NULL);
}
