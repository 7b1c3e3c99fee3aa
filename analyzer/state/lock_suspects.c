// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds a lock that does not say so itself: a task that has its address on
 * its stack or in a register, or is in a function whose code has it. Nobody
 * sleeps with a spinlock held, so of one of those it is a task that runs. None
 * of it is proof, and each suspect is shown with what speaks for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "state/lock_finder.h"

#define MAX_FUNCTION (64u << 10)

/* More suspects than this are none. */
#define MAX_SLEEPERS 4

struct suspicion {
	unsigned int weight; /* 0: none */
	char why[192];
};

struct sleeper {
	uint32_t task; /* place in tasks->list */
	struct suspicion suspicion;
};

static bool registers_have(struct lock_finder *finder, const struct task *task, size_t frame,
			   uint64_t address)
{
	struct registers registers;

	if (!lock_registers(finder, task, frame, &registers))
		return false;
	for (unsigned int i = 0; i < finder->kernel->unwinder.arch->nr_registers; i++)
		if (registers.values[i] == address)
			return true;
	return false;
}

static bool words_have(struct lock_finder *finder, const struct task *task, size_t frame,
		       uint64_t address)
{
	if (!lock_read_frames(finder, task, frame, frame + 1))
		return false;
	for (size_t i = 0; i < finder->nr_words; i++)
		if (finder->words[i] == address)
			return true;
	return false;
}

static bool read_code_has(struct lock_finder *finder, const struct symbol *symbol, uint64_t address)
{
	_cleanup_free_ uint8_t *code = NULL;

	struct error *err =
		memory_read_alloc(finder->memory, symbol->start, symbol->size, MAX_FUNCTION, &code);
	error_destroy(err);
	return !err && finder->kernel->unwinder.arch->code_mentions(code, symbol->size,
								    symbol->start, address);
}

/* The same functions are in many stacks, so each is looked at once for a lock. */
static bool code_has(struct lock_finder *finder, const struct symbol *symbol, uint64_t address)
{
	struct address_map *looked_at = &finder->mentions.functions;

	if (!symbol->name)
		return false;
	if (finder->mentions.of != address) {
		address_map_deinit(looked_at);
		*looked_at = (struct address_map){};
		finder->mentions.of = address;
	}
	uint32_t known = address_map_get(looked_at, symbol->start);
	if (known != ADDRESS_MAP_NONE)
		return known;
	bool ret = read_code_has(finder, symbol, address);
	address_map_put(looked_at, symbol->start, ret);
	return ret;
}

/* What the frames of @task from @first outwards have to do with the lock at @address. */
static struct suspicion look_at_frames(struct lock_finder *finder, const struct task *task,
				       size_t first, uint64_t address)
{
	const struct stack *stack = &task->stack;
	const char *function = NULL;
	bool word = false;

	for (size_t i = first; i < stack->frames.count; i++) {
		const struct frame *frame = &stack->frames.data[i];
		if (frame->section == SECTION_USER)
			break;
		const struct symbol symbol =
			symbols_lookup(&finder->kernel->symbols, frame->pc - !frame->interrupted);
		word = word || registers_have(finder, task, i, address) ||
		       words_have(finder, task, i, address);
		if (!function && code_has(finder, &symbol, address))
			function = symbol.name;
	}
	struct suspicion ret = { .weight = 2 * word + !!function };
	if (function)
		snprintf(ret.why, sizeof(ret.why), "%sit is in %s, whose code has it",
			 word ? "its stack has the lock's address, and " : "", function);
	else if (word)
		snprintf(ret.why, sizeof(ret.why), "its stack has the lock's address");
	return ret;
}

/* Where the innermost interrupted code of @task's stack begins, behind frame 0; 0: nowhere. */
static size_t interrupted_frame(const struct task *task)
{
	for (size_t i = 1; i < task->stack.frames.count; i++)
		if (task->stack.frames.data[i].interrupted)
			return i;
	return 0;
}

/* A CPU that is in no code that could hold the lock: it is idle, in user mode, or crashes the machine. */
static bool is_innocent(struct lock_finder *finder, const struct cpu *cpu)
{
	uint32_t place = address_map_get(&finder->task_at, cpu->current);

	if (place == ADDRESS_MAP_NONE)
		return false;
	const struct task *task = &finder->tasks->list.data[place];
	size_t count = task->stack.frames.count;
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &task->stack.frames.data[i];
		const char *name = lock_frame_name(finder, task, i);
		if (frame->section == SECTION_IRQ)
			return false;
		if (lock_name_matches(name, "sysrq_handle_crash"))
			return true;
	}
	return count && (!task->pid || task->stack.frames.data[0].section == SECTION_USER);
}

/* The one waiter took the lock before, where nobody else can have. */
static struct suspicion look_at_waiter(struct lock_finder *finder, const struct lock *lock)
{
	const struct task *waiter = &finder->tasks->list.data[lock->waiters.data[0]];
	size_t interrupted = interrupted_frame(waiter);
	struct suspicion ret = {};

	if (interrupted)
		ret = look_at_frames(finder, waiter, interrupted, lock->address);
	if (ret.weight)
		return ret;
	for (size_t i = 0; i < finder->cpus->list.count; i++) {
		const struct cpu *cpu = &finder->cpus->list.data[i];
		if (cpu->online && cpu->current != waiter->address && !is_innocent(finder, cpu))
			return ret;
	}
	ret.weight = 1;
	snprintf(ret.why, sizeof(ret.why), "no other CPU is in code that could hold it");
	return ret;
}

/* What speaks against what @cpu runs, of holding the lock at @place. */
static struct suspicion look_at_cpu(struct lock_finder *finder, const struct cpu *cpu,
				    uint32_t place)
{
	uint32_t task = address_map_get(&finder->task_at, cpu->current);

	if (!cpu->online || task == ADDRESS_MAP_NONE || finder->locks->waits_for[task] == place)
		return (struct suspicion){};
	return look_at_frames(finder, &finder->tasks->list.data[task], 0,
			      finder->locks->list.data[place].address);
}

/* Of several suspects those with the most against them are named. */
static bool find_holders(struct lock_finder *finder, uint32_t place)
{
	size_t count = finder->cpus->list.count;
	_cleanup_free_ struct suspicion *suspicions = calloc(count + 1, sizeof(*suspicions));
	unsigned int most = 0;

	for (size_t i = 0; suspicions && i < count; i++) {
		suspicions[i] = look_at_cpu(finder, &finder->cpus->list.data[i], place);
		if (suspicions[i].weight > most)
			most = suspicions[i].weight;
	}
	for (size_t i = 0; most && i < count; i++)
		if (suspicions[i].weight == most)
			lock_add_holder(finder, place, finder->cpus->list.data[i].current,
					suspicions[i].why);
	return most;
}

static void find_suspects(struct lock_finder *finder, uint32_t place)
{
	const struct lock *lock = &finder->locks->list.data[place];

	if (find_holders(finder, place) || lock->waiters.count != 1)
		return;
	struct suspicion suspicion = look_at_waiter(finder, lock);
	if (suspicion.weight)
		lock_add_holder(finder, place,
				finder->tasks->list.data[lock->waiters.data[0]].address,
				suspicion.why);
}

/* A kind of lock that somebody holds who may sleep, and that knows of nobody. */
static bool may_be_held_asleep(const struct lock *lock)
{
	switch (lock->type) {
	case LOCK_PERCPU_RWSEM:
	case LOCK_SEMAPHORE:
	case LOCK_RWSEM:
		return true;
	case LOCK_PAGE:
		return lock->detail && !strncmp(lock->detail, "PG_locked", strlen("PG_locked"));
	case LOCK_OTHER:
		return lock->word && !strncmp(lock->detail, "bit", strlen("bit"));
	default:
		return false;
	}
}

/* Of all tasks those with the most against them; where that is many, it says nothing of any. */
static void find_sleepers(struct lock_finder *finder, uint32_t place)
{
	VECTOR(struct sleeper) found = {};
	unsigned int most = 0;

	for (uint32_t i = 0; i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
		if (!task->pid || finder->locks->waits_for[i] == place)
			continue;
		struct suspicion suspicion =
			look_at_frames(finder, task, 0, finder->locks->list.data[place].address);
		if (!suspicion.weight || suspicion.weight < most)
			continue;
		if (suspicion.weight > most)
			found.count = 0;
		most = suspicion.weight;
		if (found.count > MAX_SLEEPERS)
			continue;
		struct sleeper *sleeper = vector_push(&found);
		if (sleeper)
			*sleeper = (struct sleeper){ i, suspicion };
	}
	for (size_t i = 0; i < found.count && found.count <= MAX_SLEEPERS; i++)
		lock_add_holder(finder, place, finder->tasks->list.data[found.data[i].task].address,
				found.data[i].suspicion.why);
	vector_deinit(&found);
}

void lock_find_suspects(struct lock_finder *finder)
{
	for (uint32_t i = 0; i < finder->locks->list.count; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		if (lock->holders.count || lock->type == LOCK_IPI)
			continue;
		if (lock->spinning)
			find_suspects(finder, i);
		else if (may_be_held_asleep(lock))
			find_sleepers(finder, i);
	}
	address_map_deinit(&finder->mentions.functions);
}
