// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds a spinlock, which does not say so itself. Nobody sleeps with one
 * held, so it is a task that runs: one that has the lock's address on its
 * stack or in a register, or is in a function whose code has it. None of it
 * is proof, and each suspect is shown with what speaks for it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "state/lock_finder.h"

#define MAX_FUNCTION (64u << 10)

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

bool lock_code_has(struct lock_finder *finder, const struct symbol *symbol, uint64_t address)
{
	_cleanup_free_ uint8_t *code = NULL;

	if (!symbol->name)
		return false;
	struct error *err =
		memory_read_alloc(finder->memory, symbol->start, symbol->size, MAX_FUNCTION, &code);
	error_destroy(err);
	return !err && finder->kernel->unwinder.arch->code_mentions(code, symbol->size,
								    symbol->start, address);
}

/* The same functions are in the stacks of many CPUs. */
static bool function_has(struct lock_finder *finder, const struct symbol *symbol, uint64_t address)
{
	if (finder->sought != address)
		address_map_deinit(&finder->code_has);
	finder->sought = address;
	uint32_t ret = address_map_get(&finder->code_has, symbol->start);
	if (ret == ADDRESS_MAP_NONE) {
		ret = lock_code_has(finder, symbol, address);
		address_map_put(&finder->code_has, symbol->start, ret);
	}
	return ret;
}

struct lock_suspicion lock_look_at_frames(struct lock_finder *finder, const struct task *task,
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
		if (!function && function_has(finder, &symbol, address))
			function = symbol.name;
	}
	struct lock_suspicion ret = { .weight = 2 * word + !!function };
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

/*
 * Whether @cpu has switched tasks since well after the CPU of @waiter hung: who has a spinlock does not, so it is
 * not what @waiter waits for.
 */
static bool has_switched(struct lock_finder *finder, const struct cpu *cpu,
			 const struct task *waiter)
{
	const struct cpu *first = finder->cpus->list.data,
			 *hung = cpus_find(finder->cpus, waiter->cpu);

	if (!finder->states || !hung)
		return false;
	uint64_t stuck_ns = finder->states->list.data[hung - first].stuck_ns,
		 running_ns = finder->states->list.data[cpu - first].running_ns;
	return stuck_ns != CLOCK_UNKNOWN && running_ns != CLOCK_UNKNOWN &&
	       running_ns < stuck_ns / 2;
}

/* The one waiter took the lock before, where nobody else can have. */
static struct lock_suspicion look_at_waiter(struct lock_finder *finder, const struct lock *lock)
{
	const struct task *waiter = &finder->tasks->list.data[lock->waiters.data[0]];
	size_t interrupted = interrupted_frame(waiter);
	struct lock_suspicion ret = {};

	if (interrupted)
		ret = lock_look_at_frames(finder, waiter, interrupted, lock->address);
	if (ret.weight)
		return ret;
	for (size_t i = 0; i < finder->cpus->list.count; i++) {
		const struct cpu *cpu = &finder->cpus->list.data[i];
		if (cpu->online && cpu->current != waiter->address && !is_innocent(finder, cpu) &&
		    !has_switched(finder, cpu, waiter))
			return ret;
	}
	ret.weight = 1;
	snprintf(ret.why, sizeof(ret.why), "no other CPU can have held it for so long");
	return ret;
}

/* What speaks against what @cpu runs, of holding the lock at @place. */
static struct lock_suspicion look_at_cpu(struct lock_finder *finder, const struct cpu *cpu,
					 uint32_t place)
{
	uint32_t task = address_map_get(&finder->task_at, cpu->current);

	if (!cpu->online || task == ADDRESS_MAP_NONE || finder->locks->waits_for[task] == place ||
	    lock_spins_beneath(finder, &finder->tasks->list.data[task],
			       finder->locks->list.data[place].address))
		return (struct lock_suspicion){};
	return lock_look_at_frames(finder, &finder->tasks->list.data[task], 0,
				   finder->locks->list.data[place].address);
}

/* Of several suspects those with the most against them are named. */
static bool find_holders(struct lock_finder *finder, uint32_t place)
{
	size_t count = finder->cpus->list.count;
	_cleanup_free_ struct lock_suspicion *suspicions = calloc(count + 1, sizeof(*suspicions));
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
	struct lock_suspicion suspicion = look_at_waiter(finder, lock);
	if (suspicion.weight)
		lock_add_holder(finder, place,
				finder->tasks->list.data[lock->waiters.data[0]].address,
				suspicion.why);
}

void lock_find_suspects(struct lock_finder *finder)
{
	for (uint32_t i = 0; i < finder->locks->list.count; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		if (lock->spinning && lock->type != LOCK_IPI && !lock->holders.count)
			find_suspects(finder, i);
	}
}
