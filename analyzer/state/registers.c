// SPDX-License-Identifier: GPL-2.0-only
#include "state/registers.h"

#include <string.h>

/* CPUs whose stacks are looked through: on a machine where more were silent nothing else is as it should be either. */
#define MAX_SCANS 256

struct reader {
	struct kernel *kernel;
	const struct record *record;
	unsigned int scans;
	struct member stack; /* of task_struct */
	uint64_t current_task; /* the per-CPU variable, or 0 */
};

static bool read_stack(struct reader *reader, uint64_t task, uint64_t *ret)
{
	struct error *err = member_read(&reader->kernel->memory, task, &reader->stack, ret);
	bool ok = !err && *ret;

	error_destroy(err);
	return ok;
}

static bool is_on_stack(struct reader *reader, uint64_t task, uint64_t sp)
{
	uint64_t stack;

	return task && read_stack(reader, task, &stack) &&
	       sp - stack < reader->kernel->unwinder.thread_size;
}

/* The CPU's own notion of its current task: current. */
static uint64_t read_current(struct reader *reader, const struct cpu *cpu)
{
	uint64_t ret = 0;

	if (reader->current_task)
		error_destroy(memory_read_u64(&reader->kernel->memory,
					      reader->current_task + cpu->per_cpu, &ret));
	return ret;
}

/*
 * __schedule() makes the next task runqueues.curr before it leaves the old one's stack: an NMI may come between.
 * The next one then is still as it was when it was switched out.
 */
static void find_owner(struct reader *reader, struct cpu *cpu)
{
	const struct unwind_arch *arch = reader->kernel->unwinder.arch;
	uint64_t sp = cpu->registers.values[arch->sp];

	if (cpu->registers_from == REGISTERS_NONE || arch->is_user(&cpu->registers) ||
	    is_on_stack(reader, cpu->current, sp))
		return;
	uint64_t current = read_current(reader, cpu);
	if (current != cpu->current && is_on_stack(reader, current, sp))
		cpu->current = current;
}

/* The newest sample, if the task has not left the CPU since. */
static bool from_record(const struct reader *reader, struct cpu *cpu)
{
	const struct record *record = reader->record;
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn;

	if (!record || cpu->number >= record->header->nr_slots ||
	    record->header->machine != reader->kernel->unwinder.arch->machine)
		return false;
	const struct record_slot *slot = record_slot(record, cpu->number);
	size_t count = slot->end_ns ? 0 : record_samples(slot, samples, &torn);
	if (!count || samples[count - 1]->task != cpu->current ||
	    !(samples[count - 1]->flags & RECORD_SAMPLE_REGS))
		return false;
	unsigned int nr = reader->kernel->unwinder.arch->nr_registers;
	cpu->registers = (struct registers){
		.known = nr < 64 ? (1ull << nr) - 1 : UINT64_MAX,
		.trust = REGISTERS_OLD,
	};
	memcpy(cpu->registers.values, samples[count - 1]->regs, nr * sizeof(uint64_t));
	cpu->registers_from = REGISTERS_RECORD;
	return true;
}

static void from_stacks(struct reader *reader, struct cpu *cpu)
{
	uint64_t stack;

	if (reader->scans++ >= MAX_SCANS)
		return;
	if (!read_stack(reader, cpu->current, &stack))
		stack = cpu_task_stack(reader->kernel, cpu);
	if (stack &&
	    unwind_find_registers(&reader->kernel->unwinder, stack, cpu->per_cpu, &cpu->registers))
		cpu->registers_from = REGISTERS_SCAN;
}

void registers_complete(struct kernel *kernel, struct cpus *cpus, const struct record *record)
{
	struct reader reader = { .kernel = kernel, .record = record };
	const struct types *types = kernel->symbols.types;

	/* On a machine that runs on, the stack of a running task is another one at each look. */
	if (!kernel->can_unwind || dump_is_live(kernel->dump))
		return;
	reader.current_task = kernel_per_cpu_variable(kernel, KSYM_current_task, "current_task");
	if (!types_member(types, "task_struct", "stack", &reader.stack))
		return;
	for (size_t i = 0; i < cpus->list.count; i++) {
		struct cpu *cpu = &cpus->list.data[i];
		if (!cpu->online || !cpu->current)
			continue;
		find_owner(&reader, cpu);
		if (cpu->registers_from == REGISTERS_NONE && !from_record(&reader, cpu))
			from_stacks(&reader, cpu);
	}
}
