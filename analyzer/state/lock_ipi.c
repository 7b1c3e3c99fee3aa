// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that waits for others to run a function that it asked them for
 * (kernel/smp.c), which is no lock, but keeps it waiting like one: it is
 * "held" by what runs on each CPU that did not answer. What it asked for is
 * on that CPU's call_single_queue, from the asker's stack
 * (smp_call_function_single()) or out of the asker's cfd_data
 * (smp_call_function_many_cond()); there it is locked until it has been run.
 */
#include "state/lock_finder.h"

#define CSD_LOCKED 0x1 /* CSD_FLAG_LOCK */
#define MAX_QUEUE  8192 /* entries: each CPU has a few for each other */

static bool asks_many(const char *name)
{
	return lock_name_matches(name, "smp_call_function_many*");
}

static bool asks_one(const char *name)
{
	return lock_name_matches(name, "smp_call_function_single") ||
	       lock_name_matches(name, "smp_call_function_any") ||
	       lock_name_matches(name, "generic_exec_single");
}

/* The frame that waits for an answer: the innermost of the task itself, or the one that called it. */
static bool is_asking(struct lock_finder *finder, bool *many_ret)
{
	const struct stack *stack = &finder->task->stack;
	size_t i = 0;

	while (i < stack->frames.count && stack->frames.data[i].section != SECTION_TASK)
		i++;
	for (size_t end = i + 2; i < end && i < stack->frames.count; i++) {
		const char *name = lock_frame_name(finder, finder->task, i);
		*many_ret = asks_many(name);
		if (*many_ret || asks_one(name))
			return true;
	}
	return false;
}

/* Where @cpu's request is that the CPU with cfd_data at @cfd made with many others; 0: none. */
static uint64_t request_of_many(struct lock_finder *finder, uint64_t cfd, const struct cpu *cpu)
{
	uint64_t requests = lock_read(finder, cfd, &finder->layout.ipi.requests);

	return requests ? requests + cpu->per_cpu : 0;
}

/* Whether @cpu still has a request of the task on its queue. */
static bool is_queued(struct lock_finder *finder, const struct cpu *cpu, uint64_t of_many)
{
	static const struct member next = { .size = 8 };
	uint64_t queue = finder->kernel->symbols.at[KSYM_call_single_queue];
	uint64_t entry = queue ? lock_read(finder, queue + cpu->per_cpu, &next) : 0;

	for (size_t i = 0; i < MAX_QUEUE && lock_plausible(entry); i++) {
		if (entry == of_many ||
		    entry - finder->task->stack_base < finder->kernel->unwinder.thread_size)
			return true;
		entry = lock_read(finder, entry, &next);
	}
	return false;
}

uint32_t lock_find_ipi(struct lock_finder *finder)
{
	const struct cpu *own = cpus_find(finder->cpus, finder->task->cpu);
	uint64_t cfd = finder->kernel->symbols.at[KSYM_cfd_data];
	uint32_t lock = LOCK_NONE;
	bool many;

	if (!own || !cfd || !is_asking(finder, &many))
		return LOCK_NONE;
	cfd += own->per_cpu;
	for (size_t i = 0; i < finder->cpus->list.count; i++) {
		const struct cpu *cpu = &finder->cpus->list.data[i];
		uint64_t of_many = many ? request_of_many(finder, cfd, cpu) : 0;
		if (!cpu->online || cpu == own ||
		    (!is_queued(finder, cpu, of_many) &&
		     !(of_many &&
		       lock_read(finder, of_many, &finder->layout.ipi.flags) & CSD_LOCKED)))
			continue;
		if (lock == LOCK_NONE) {
			lock = lock_add(finder, LOCK_IPI, cfd);
			if (lock == LOCK_NONE)
				return lock;
			finder->locks->list.data[lock].spinning = true;
			lock_set_detail(finder, lock, "the answer of CPU %u to a function call",
					cpu->number);
		}
		lock_add_holder(finder, lock, cpu->current, NULL);
	}
	return lock;
}
