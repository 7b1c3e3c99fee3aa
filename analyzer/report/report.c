// SPDX-License-Identifier: GPL-2.0-only
#include "report/report.h"

#include <string.h>

#include "base/cleanup.h"
#include "state/printk_safe.h"
#include "state/registers.h"

#define SAME_BOOT_S	   30 /* the clock may have been set meanwhile, but not by more */
#define MAX_UNLOADED_NOTES 8

struct error *report_note(struct report *report, struct error *err)
{
	if (!err)
		return NULL;
	struct report_note *note = vector_push(&report->notes);
	char *text = arena_strndup(&report->text, err->message, strlen(err->message));
	if (!note || !text) {
		error_destroy(err);
		return &error_no_memory;
	}
	*note = (struct report_note){ .class = err->class, .address = err->address, .text = text };
	error_destroy(err);
	return NULL;
}

/* What to say of the CPU that @task ran on if it did not answer when the machine crashed; NULL if it did. */
static struct error *silent_cpu(const struct report *report, const struct task *task)
{
	static const char *const from[] = {
		[REGISTERS_NONE] = "nothing tells what it did",
		[REGISTERS_RECORD] = "its registers are of the record's last sample",
		[REGISTERS_SCAN] = "its registers were found on its stacks",
	};

	if (dump_is_live(report->kernel->dump))
		return error_create(ERROR_OTHER, "%s (pid %u) runs on CPU %u: its stack changes",
				    task->comm, task->pid, task->cpu);
	if (task->registers_from >= sizeof(from) / sizeof(from[0]) || !from[task->registers_from])
		return NULL;
	return error_create(
		ERROR_OTHER,
		"CPU %u left no registers: it did not answer when the machine crashed; %s",
		task->cpu, from[task->registers_from]);
}

/* Looks up every frame, for the files are looked for only then, and what is wrong with one is to be noted. */
static struct error *note_debuginfo(struct report *report)
{
	struct debuginfo *debuginfo = report->kernel->debuginfo;
	struct error *err = NULL, *its;

	if (!debuginfo)
		return NULL;
	for (size_t i = 0; i < report->tasks.list.count; i++) {
		const struct stack *stack = &report->tasks.list.data[i].stack;
		for (size_t f = 0; f < stack->frames.count; f++)
			report_places(report->kernel, &stack->frames.data[f]);
	}
	while (!err && (its = debuginfo_next_error(debuginfo)))
		err = report_note(report, its);
	return err;
}

/* Code of a module that is gone has no name: says so of the first few tasks that are in it. */
static struct error *note_unloaded(struct report *report, const struct task *task, int *left)
{
	const struct symbols *symbols = &report->kernel->symbols;
	const char *last = symbols->modules.last_unloaded;
	struct error *err = NULL;

	for (size_t i = 0; !err && *left && i < task->stack.frames.count; i++) {
		uint64_t pc = task->stack.frames.data[i].pc;
		if (!symbols_is_unloaded(symbols, pc))
			continue;
		--*left;
		err = report_note(
			report,
			error_fault(ERROR_UNMAPPED, pc,
				    "0x%llx, on the stack of %s (pid %u), is of an unloaded "
				    "module%s%s%s",
				    (unsigned long long)pc, task->comm, task->pid,
				    last ? " (the last that was unloaded: " : "", last ? last : "",
				    last ? ")" : ""));
	}
	return err;
}

/* What the crash came in the middle of. */
static struct error *note_torn(struct report *report)
{
	const struct record *record = report->record;
	struct error *err = NULL;
	char what[128];

	for (uint32_t cpu = 0; !err && record && cpu < record->header->nr_slots; cpu++)
		if (record_describe_torn(record_slot(record, cpu), what, sizeof(what)))
			err = report_note(report,
					  error_create(ERROR_OTHER,
						       "the flight record of CPU %u is torn: %s",
						       cpu, what));
	return err;
}

/* Notes all that the readers met with, once each. */
static struct error *collect_notes(struct report *report)
{
	struct error *err = NULL;
	int unloaded_left = MAX_UNLOADED_NOTES;

	size_t count;
	const struct error *const *lacks = dump_get_lacks(report->kernel->dump, &count);

	for (size_t i = 0; !err && i < count; i++)
		err = report_note(report, error_copy(lacks[i]));
	for (size_t i = 0; !err && i < report->kernel->lacks.count; i++)
		err = report_note(report, error_copy(report->kernel->lacks.data[i]));
	if (!err)
		err = note_torn(report);
	/* Without page tables nothing could be read, and that has been said. */
	if (err || !report->kernel->memory.arch)
		return err;
	if (!err)
		err = report_note(report, error_copy(report->kernel->symbols.kallsyms.error));
	if (!err)
		err = report_note(report, error_copy(report->kernel->symbols.types_error));
	if (!err)
		err = report_note(report, error_copy(report->kernel->symbols.modules_error));
	if (!err)
		err = report_note(report, error_copy(report->kernel->symbols.generated_error));
	if (!err)
		err = report_note(report, error_copy(report->kernel->unwinder.error));
	if (!err)
		err = report_note(report, steal_ptr(report->cpus.error));
	if (!err)
		err = report_note(report, steal_ptr(report->tasks.error));
	if (!err)
		err = report_note(report, steal_ptr(report->dmesg.error));
	if (!err)
		err = report_note(report, steal_ptr(report->locks.error));
	for (size_t i = 0; !err && i < report->tasks.list.count; i++) {
		struct task *task = &report->tasks.list.data[i];
		err = report_note(report,
				  error_prefix(steal_ptr(task->stack.error), "stack of %s (pid %u)",
					       task->comm, task->pid));
		if (!err && task->running)
			err = report_note(report, silent_cpu(report, task));
		if (!err)
			err = note_unloaded(report, task, &unloaded_left);
	}
	for (size_t i = 0; !err && i < report->tasks.lost.count; i++) {
		struct task *task = &report->tasks.lost.data[i];
		err = report_note(report, error_prefix(steal_ptr(task->stack.error),
						       "stack of CPU %u", task->cpu));
		if (!err)
			err = report_note(report, silent_cpu(report, task));
	}
	return err ? err : note_debuginfo(report);
}

/*
 * A record from a file may be of another boot, and would tell a story that is
 * not this dump's. Where nobody ever asked the kernel for its boot id, the time
 * of the boot tells: from the crash and the uptime, and from the record's clocks.
 */
static struct error *check_boot(const struct machine *machine, const struct record *record)
{
	const struct record_header *header = record->header;

	if (machine->boot_id[0]) {
		if (!strcmp(machine->boot_id, header->boot_id))
			return NULL;
		return error_create(ERROR_OTHER, "the record is of boot %s, the dump of boot %s",
				    header->boot_id, machine->boot_id);
	}
	if (machine->crash_time_s == MACHINE_UNKNOWN || machine->uptime_ns == MACHINE_UNKNOWN)
		return NULL;
	int64_t dumped_s = machine->crash_time_s - machine->uptime_ns / 1000000000;
	int64_t recorded_s =
		(int64_t)(header->anchor_realtime_ns - header->anchor_boottime_ns) / 1000000000;
	if (llabs(dumped_s - recorded_s) <= SAME_BOOT_S)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the record is of a boot that began %lld s before or after the dump's",
			    llabs(dumped_s - recorded_s));
}

struct error *report_create(struct kernel *kernel, const char *vmcore, const struct record *record,
			    struct report **ret)
{
	struct report *report = calloc(1, sizeof(*report));
	if (!report)
		return &error_no_memory;
	report->kernel = kernel;
	report->vmcore = vmcore;
	report->record = record;

	dmesg_init(&report->dmesg, &kernel->memory, &kernel->info);
	cpus_init(&report->cpus, kernel);
	printk_safe_read(&report->dmesg, kernel, &report->cpus);
	clocks_init(&report->clocks, kernel, &report->cpus, &report->dmesg);
	machine_init(&report->machine, kernel, &report->dmesg, &report->clocks);
	struct error *err = NULL;
	if (record && record->from == RECORD_FROM_FILE)
		err = check_boot(&report->machine, record);
	if (!err)
		registers_complete(kernel, &report->cpus, record);
	tasks_init(&report->tasks, kernel, &report->cpus);
	tasks_set_waits(&report->tasks, &report->cpus, &report->clocks);
	cpu_states_init(&report->cpu_states, kernel, &report->cpus, &report->tasks,
			&report->clocks);
	locks_init(&report->locks, kernel, &report->cpus, &report->tasks, &report->cpu_states,
		   record);
	if (!err)
		err = timeline_init(&report->timeline, kernel, record, &report->dmesg,
				    &report->machine);
	if (!err) {
		const struct verdict_input input = {
			.kernel = kernel,
			.cpus = &report->cpus,
			.tasks = &report->tasks,
			.locks = &report->locks,
			.cpu_states = &report->cpu_states,
			.dmesg = &report->dmesg,
			.machine = &report->machine,
			.record = record,
		};
		verdict_init(&report->verdict, &input);
		err = collect_notes(report);
	}
	if (err) {
		report_destroy(report);
		return err;
	}
	*ret = report;
	return NULL;
}

void report_destroy(struct report *report)
{
	if (!report)
		return;
	timeline_deinit(&report->timeline);
	locks_deinit(&report->locks);
	cpu_states_deinit(&report->cpu_states);
	tasks_deinit(&report->tasks);
	clocks_deinit(&report->clocks);
	cpus_deinit(&report->cpus);
	dmesg_deinit(&report->dmesg);
	vector_deinit(&report->notes);
	arena_deinit(&report->text);
	free(report);
}

const struct task *report_on_cpu(const struct report *report, const struct cpu *cpu)
{
	/* It may have been switched out since, and have a stack that is not the CPU's. */
	return dump_is_live(report->kernel->dump) ? NULL : tasks_on_cpu(&report->tasks, cpu);
}

const struct cpu_state *report_cpu_state(const struct report *report, size_t index)
{
	return index < report->cpu_states.list.count ? &report->cpu_states.list.data[index] : NULL;
}

double report_cpu_stuck_s(const struct report *report, size_t index)
{
	const struct cpu_state *state = report_cpu_state(report, index);
	uint32_t number = report->cpus.list.data[index].number;

	return verdict_stuck_s(report->record, state, number);
}

size_t report_largest_tasks(const struct report *report, const struct task *ret[REPORT_TOP_TASKS])
{
	size_t count = 0;

	for (size_t i = 0; i < report->tasks.list.count; i++) {
		const struct task *task = &report->tasks.list.data[i];
		/* A process's memory is all its threads': its first task speaks for it. */
		if (!task->rss_pages || task->pid != task->tgid)
			continue;
		size_t place = count;
		while (place && ret[place - 1]->rss_pages < task->rss_pages)
			place--;
		if (place == REPORT_TOP_TASKS)
			continue;
		count += count < REPORT_TOP_TASKS;
		memmove(&ret[place + 1], &ret[place], (count - 1 - place) * sizeof(*ret));
		ret[place] = task;
	}
	return count;
}

bool report_is_contended(const struct report *report, const struct lock *lock)
{
	if (lock_is_held(lock))
		return true;
	for (size_t i = 0; i < lock->waiters.count; i++)
		if (report->tasks.list.data[lock->waiters.data[i]].state == 'D')
			return true;
	return false;
}

double report_waited_s(const struct report *report, const struct task *task)
{
	const struct cpu *cpu = cpus_find(&report->cpus, task->cpu);

	if (task->running)
		return cpu ? report_cpu_stuck_s(report, cpu - report->cpus.list.data) : -1;
	return task->wait_ns == CLOCK_UNKNOWN ? -1 : task->wait_ns / 1e9;
}

const struct source_places *report_places(struct kernel *kernel, const struct frame *frame)
{
	return frame->section == SECTION_USER
		       ? NULL
		       : debuginfo_places(kernel->debuginfo, frame->pc - !frame->interrupted);
}

bool report_stack_values(const struct report *report, const struct task *task,
			 struct stack_values *ret)
{
	struct registers registers;

	*ret = (struct stack_values){};
	if (!report->kernel->debuginfo)
		return false;
	struct error *err = task_registers(report->kernel, &report->cpus, task, &registers);
	if (!err)
		err = stack_values_init(ret, report->kernel, &task->stack, &registers);
	bool good = !err;
	error_destroy(err);
	return good;
}

bool *report_find_softirqs(struct kernel *kernel, const struct frame *frames, size_t count)
{
	bool *ret = calloc(count + 1, sizeof(*ret)), inside = false;

	for (size_t i = count; ret && i--;) {
		const struct frame *frame = &frames[i];
		if (frame->section == SECTION_USER)
			continue;
		ret[i] = inside = inside || kernel_runs_softirqs(kernel, frame);
		inside = inside && !frame->interrupted;
	}
	return ret;
}

const char *report_section(const struct frame *frame, bool in_softirq)
{
	static const char *const names[] = {
		[SECTION_TASK] = "task",	   [SECTION_IRQ] = "irq",   [SECTION_NMI] = "nmi",
		[SECTION_EXCEPTION] = "exception", [SECTION_USER] = "user",
	};
	return in_softirq ? "softirq" : names[frame->section];
}

const char *report_registers_from(enum registers_from from)
{
	static const char *const names[] = {
		[REGISTERS_CRASH_NOTES] = "crash_notes", [REGISTERS_ELF_NOTE] = "elf_note",
		[REGISTERS_RECORD] = "record",		 [REGISTERS_SCAN] = "scan",
		[REGISTERS_SLEEPING] = "sleeping",
	};
	return names[from];
}
