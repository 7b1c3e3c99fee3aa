// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait queues: struct wait_queue_entry on the sleeper's stack, which names the
 * task and the function that is to wake it, on the list of a wait_queue_head.
 * What is waited for follows from that function: a bit of a page
 * (mm/filemap.c), a bit of some word (kernel/sched/wait_bit.c), a percpu-rwsem
 * (kernel/locking/percpu-rwsem.c), else whatever the queue is for.
 */
#include <string.h>

#include "state/lock_finder.h"

#define MAX_BIT 63

static const struct member list_next = { .size = 8 }, list_prev = { .offset = 8, .size = 8 };

/* Where the entry is in the ring's list, all of it: of a queue's members only the head has no function. */
static uint64_t find_head(struct lock_finder *finder, const struct lock_ring *ring)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;
	uint64_t head = 0;

	for (size_t i = 0; i < ring->count; i++) {
		uint64_t node = finder->rings.nodes.data[ring->first + i];
		if (lock_function_at(finder,
				     lock_read(finder, node - l->entry.offset, &l->function)))
			continue;
		if (head)
			return 0;
		head = node;
	}
	return head;
}

/* What the ring of @node belongs to: the lock is added with its first waiter. */
static uint32_t lock_of_ring(struct lock_finder *finder, uint64_t node, enum lock_type type,
			     uint32_t head_offset)
{
	struct lock_ring *ring = lock_rings_find(&finder->rings, finder->memory, node);

	if (!ring)
		return LOCK_NONE;
	if (!ring->searched) {
		ring->searched = true;
		uint64_t head = find_head(finder, ring);
		if (head)
			ring->lock = lock_add(finder, type, head - head_offset);
	}
	return ring->lock;
}

/* An enumerator's value is the bit's number: enum pageflags. */
static const char *page_bit_name(struct lock_finder *finder, uint64_t bit)
{
	static const char *const names[] = { "PG_locked", "PG_writeback" };
	int64_t value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (types_enumerator(finder->kernel->symbols.types, "pageflags", names[i],
				     &value) &&
		    (uint64_t)value == bit)
			return names[i];
	return NULL;
}

static uint32_t page_lock(struct lock_finder *finder, uint64_t entry)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;
	uint64_t object = entry - l->page_wait.offset;
	uint64_t page = lock_read(finder, object, &l->page);
	uint64_t bit = (uint32_t)lock_read(finder, object, &l->page_bit);

	if (!l->page_wait.size || !lock_plausible(page) || bit > MAX_BIT)
		return LOCK_NONE;
	uint32_t lock = lock_add(finder, LOCK_PAGE, page);
	if (lock == LOCK_NONE || finder->locks->list.data[lock].detail)
		return lock;
	const char *name = page_bit_name(finder, bit);
	if (name)
		lock_set_detail(finder, lock, "%s", name);
	else
		lock_set_detail(finder, lock, "bit %llu", (unsigned long long)bit);
	return lock;
}

static uint32_t word_lock(struct lock_finder *finder, uint64_t entry)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;
	uint64_t object = entry - l->word_wait.offset;
	uint64_t word = lock_read(finder, object, &l->word);
	uint64_t bit = (uint32_t)lock_read(finder, object, &l->word_bit);

	if (!l->word_wait.size || !lock_plausible(word))
		return LOCK_NONE;
	uint32_t lock = lock_add(finder, LOCK_OTHER, word);
	if (lock == LOCK_NONE || finder->locks->list.data[lock].word)
		return lock;
	finder->locks->list.data[lock].word = true;
	/* wait_var_event() has no bit: -1. */
	if (bit <= MAX_BIT)
		lock_set_detail(finder, lock, "bit %llu", (unsigned long long)bit);
	else
		lock_set_detail(finder, lock, "until it changes");
	return lock;
}

/* The writer that waits for the readers to go has it: those that wait behind it wait for this task. */
static void add_percpu_writer(struct lock_finder *finder, uint32_t lock)
{
	if (lock != LOCK_NONE && !finder->locks->list.data[lock].holders.count)
		lock_add_holder(finder, lock,
				lock_read(finder, finder->locks->list.data[lock].address,
					  &finder->layout.queue.percpu_writer),
				NULL);
}

static uint32_t lock_of_entry(struct lock_finder *finder, uint64_t entry, const char *function)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;
	uint64_t node = entry + l->entry.offset;

	if (!strcmp(function, "wake_page_function"))
		return page_lock(finder, entry);
	if (!strcmp(function, "wake_bit_function") || !strcmp(function, "var_wake_function"))
		return word_lock(finder, entry);
	if (!strcmp(function, "percpu_rwsem_wake_function") && l->percpu_queue.size) {
		uint32_t lock =
			lock_of_ring(finder, node, LOCK_PERCPU_RWSEM, l->percpu_queue.offset);
		add_percpu_writer(finder, lock);
		return lock;
	}
	return lock_of_ring(finder, node, LOCK_OTHER, l->head.offset);
}

/* Whether the neighbours of the list_head at @node know it. */
static bool is_linked(struct lock_finder *finder, uint64_t node)
{
	uint64_t after = lock_read(finder, node, &list_next);
	uint64_t before = lock_read(finder, node, &list_prev);

	return lock_plausible(after) && lock_plausible(before) &&
	       lock_read(finder, after, &list_prev) == node &&
	       lock_read(finder, before, &list_next) == node;
}

uint32_t lock_find_queue(struct lock_finder *finder)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;

	if (!l->function.size || !l->private.size || !l->entry.size || !l->head.size)
		return LOCK_NONE;
	for (size_t i = 0; i < finder->nr_words; i++) {
		if (finder->words[i] != finder->task->address)
			continue;
		uint64_t entry = finder->words_at + i * 8 - l->private.offset, function;
		uint64_t node = entry + l->entry.offset;
		const char *name = lock_word(finder, entry + l->function.offset, &function)
					   ? lock_function_at(finder, function)
					   : NULL;
		/* One that is off its queue is linked to itself. */
		if (name && lock_read(finder, node, &list_next) != node && is_linked(finder, node))
			return lock_of_entry(finder, entry, name);
	}
	return LOCK_NONE;
}

/*
 * A reader, or a second writer, is in the queue of percpu_rwsem_wait(). The writer
 * that is in is not: it waits in percpu_down_write() for the readers to go, and the lock names it.
 */
uint32_t lock_find_percpu_rwsem(struct lock_finder *finder)
{
	const __typeof__(finder->layout.queue) *l = &finder->layout.queue;
	uint32_t lock = lock_find_queue(finder);

	if (lock != LOCK_NONE || !l->percpu_writer.size || !l->percpu_queue.size)
		return lock;
	for (size_t i = 0; i < finder->nr_words; i++) {
		uint64_t address = finder->words[i];
		if (lock_plausible(address) && !(address % 8) &&
		    address - finder->task->stack_base >= finder->kernel->unwinder.thread_size &&
		    lock_read(finder, address, &l->percpu_writer) == finder->task->address &&
		    is_linked(finder, address + l->percpu_queue.offset)) {
			lock = lock_add(finder, LOCK_PERCPU_RWSEM, address);
			if (lock != LOCK_NONE)
				finder->locks->list.data[lock].detail = "readers have it";
			return lock;
		}
	}
	return LOCK_NONE;
}
