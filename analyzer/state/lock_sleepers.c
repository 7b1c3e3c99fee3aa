// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may hold a lock that sleepers wait for and that knows of nobody: a
 * semaphore until 6.16, a percpu-rwsem that is written, the bit of a page or of
 * some word. Any task may, so all of them are looked at; but few have anything
 * to do with it, and only those as closely as the suspects of a spinlock.
 */
#include <string.h>

#include "state/lock_finder.h"

#define MAX_SOUGHT   32 /* locks: the bits of a mask */
#define MAX_SUSPECTS 4 /* of a lock; where there are more, it says nothing of any */

struct suspect {
	uint32_t task; /* place in tasks->list */
	struct lock_suspicion suspicion;
};

struct sought {
	uint32_t lock; /* place in locks->list */
	uint64_t address;
	size_t nr_suspects; /* with the most against them; MAX_SUSPECTS + 1: too many */
	struct suspect suspects[MAX_SUSPECTS];
};

struct search {
	struct lock_finder *finder;
	struct sought sought[MAX_SOUGHT];
	size_t count;
	struct address_map functions; /* which of them a function's code has */
};

static bool may_be_held_asleep(const struct lock *lock)
{
	if (lock->spinning || lock->holders.count)
		return false;
	switch (lock->type) {
	case LOCK_PERCPU_RWSEM:
	case LOCK_SEMAPHORE:
	case LOCK_RWSEM:
		return true;
	case LOCK_PAGE:
		return !strncmp(lock->detail, "PG_locked", strlen("PG_locked"));
	case LOCK_OTHER:
		return lock->word && !strncmp(lock->detail, "bit", strlen("bit"));
	default:
		return false;
	}
}

/* The locks of which the words of the task's stack have the address; all if they are not all there. */
static uint32_t on_stack(const struct search *search, const struct task *task)
{
	struct lock_finder *finder = search->finder;
	uint32_t ret = 0;

	if (task->running || !lock_read_frames(finder, task, 0, task->stack.frames.count) ||
	    finder->nr_words == LOCK_MAX_WORDS)
		return UINT32_MAX;
	for (size_t i = 0; i < finder->nr_words; i++)
		for (size_t j = 0; j < search->count; j++)
			if (finder->words[i] == search->sought[j].address)
				ret |= 1u << j;
	return ret;
}

/* Only a static lock's address is in any code. The same functions are in many stacks. */
static uint32_t in_code(struct search *search, const struct symbol *symbol)
{
	const struct lock *locks = search->finder->locks->list.data;
	uint32_t ret = address_map_get(&search->functions, symbol->start);

	if (!symbol->name)
		return 0;
	if (ret != ADDRESS_MAP_NONE)
		return ret;
	ret = 0;
	for (size_t i = 0; i < search->count; i++)
		if (locks[search->sought[i].lock].name &&
		    lock_code_has(search->finder, symbol, search->sought[i].address))
			ret |= 1u << i;
	address_map_put(&search->functions, symbol->start, ret);
	return ret;
}

/* A task that just sleeps holds nothing, and most tasks do. */
static bool is_innocent(struct lock_finder *finder, const struct task *task)
{
	size_t first = lock_skip_scheduler(finder, task);

	return !task->pid || first == task->stack.frames.count ||
	       (first && lock_is_just_asleep(lock_frame_name(finder, task, first)));
}

/* The locks that it is worth to look at the task more closely for. */
static uint32_t look_at_task(struct search *search, const struct task *task)
{
	uint32_t ret = on_stack(search, task);

	for (size_t i = 0; i < task->stack.frames.count; i++) {
		const struct frame *frame = &task->stack.frames.data[i];
		if (frame->section == SECTION_USER)
			break;
		const struct symbol symbol = symbols_lookup(&search->finder->kernel->symbols,
							    frame->pc - !frame->interrupted);
		ret |= in_code(search, &symbol);
	}
	return ret;
}

static void add_suspect(struct sought *sought, uint32_t task,
			const struct lock_suspicion *suspicion)
{
	unsigned int most = sought->nr_suspects ? sought->suspects[0].suspicion.weight : 0;

	if (!suspicion->weight || suspicion->weight < most)
		return;
	if (suspicion->weight > most)
		sought->nr_suspects = 0;
	if (sought->nr_suspects < MAX_SUSPECTS)
		sought->suspects[sought->nr_suspects] = (struct suspect){ task, *suspicion };
	if (sought->nr_suspects <= MAX_SUSPECTS)
		sought->nr_suspects++;
}

static void look_at_all(struct search *search)
{
	const struct tasks *tasks = search->finder->tasks;

	for (uint32_t i = 0; i < tasks->list.count; i++) {
		const struct task *task = &tasks->list.data[i];
		uint32_t worth = is_innocent(search->finder, task) ? 0 : look_at_task(search, task);
		for (size_t j = 0; worth && j < search->count; j++) {
			struct sought *sought = &search->sought[j];
			if (!(worth & 1u << j) ||
			    search->finder->locks->waits_for[i] == sought->lock)
				continue;
			const struct lock_suspicion suspicion =
				lock_look_at_frames(search->finder, task, 0, sought->address);
			add_suspect(sought, i, &suspicion);
		}
	}
}

void lock_find_sleeping_suspects(struct lock_finder *finder)
{
	struct search search = { .finder = finder };

	for (uint32_t i = 0; i < finder->locks->list.count && search.count < MAX_SOUGHT; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		if (may_be_held_asleep(lock))
			search.sought[search.count++] =
				(struct sought){ .lock = i, .address = lock->address };
	}
	if (search.count)
		look_at_all(&search);
	for (size_t i = 0; i < search.count; i++) {
		const struct sought *sought = &search.sought[i];
		for (size_t j = 0; j < sought->nr_suspects && sought->nr_suspects <= MAX_SUSPECTS;
		     j++) {
			const struct suspect *suspect = &sought->suspects[j];
			lock_add_holder(finder, sought->lock,
					finder->tasks->list.data[suspect->task].address,
					suspect->suspicion.why);
		}
	}
	address_map_deinit(&search.functions);
}
