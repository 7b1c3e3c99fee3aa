// SPDX-License-Identifier: GPL-2.0-only
/* The report as text: what is most wanted comes first, and every line can be mailed. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "report/text_locks.h"
#include "report/text_state.h"

#define DMESG_TAIL     30
#define SHOWN_CALLERS  3
#define NANOSECONDS(n) ((unsigned long long)(n))

struct printer {
	const struct report *report;
	FILE *out;
	const char *bold, *red, *dim, *plain; /* escape sequences, or "" */
};

static void put_text(const struct printer *p, const char *s)
{
	print_text(s, p->out);
}

static void heading(const struct printer *p, const char *text)
{
	fprintf(p->out, "\n%s%s%s\n", p->bold, text, p->plain);
}

static void fact(const struct printer *p, const char *name, const char *value)
{
	fprintf(p->out, "  %-10s ", name);
	put_text(p, value);
	fputc('\n', p->out);
}

static void put_module(const struct printer *p, const char *name)
{
	fputs(" [", p->out);
	put_text(p, name);
	fputc(']', p->out);
}

static void put_symbol(const struct printer *p, uint64_t pc, bool interrupted, bool offset)
{
	struct symbol symbol = symbols_lookup(&p->report->kernel->symbols, pc - !interrupted);

	if (!symbol.name) {
		fprintf(p->out, "0x%llx", (unsigned long long)pc);
	} else {
		put_text(p, symbol.name);
		if (offset)
			fprintf(p->out, "+0x%llx/0x%llx", (unsigned long long)(pc - symbol.start),
				(unsigned long long)symbol.size);
	}
	if (symbol.module)
		put_module(p, symbol.module->name);
}

/* " (FILE:LINE)", as far as they are known. */
static void put_place(const struct printer *p, const struct source_place *place)
{
	if (!place->file)
		return;
	fputs(" (", p->out);
	put_text(p, place->file);
	if (place->line)
		fprintf(p->out, ":%u", place->line);
	fputc(')', p->out);
}

static void put_variables(const struct printer *p, struct stack_values *values, size_t frame,
			  const struct source_place *place)
{
	struct variables variables;

	variables_init(&variables, values, frame, place);
	for (size_t i = 0; i < variables.list.count; i++) {
		const struct variable *variable = &variables.list.data[i];
		fprintf(p->out, "%s        ", p->dim);
		put_text(p, variable->name);
		fputs(" = ", p->out);
		put_text(p, variable->value	 ? variable->value
			    : variable->excluded ? "<not in the dump>"
						 : "<optimized out>");
		fprintf(p->out, "%s\n", p->plain);
	}
	variables_deinit(&variables);
}

/* The frame, and what was inlined into it before it; @values is NULL if no variables are wanted. */
static void put_frame(const struct printer *p, const struct frame *frame, size_t index,
		      struct stack_values *values)
{
	const struct source_places *places = report_places(p->report->kernel, frame);

	for (size_t i = 0; i < (places ? places->count : 1); i++) {
		const struct source_place *place = places ? &places->list[i] : NULL;
		fprintf(p->out, "    %s", frame->reliable ? "" : "? ");
		if (place && place->inlined)
			put_text(p, place->function ? place->function : "?");
		else
			put_symbol(p, frame->pc, frame->interrupted, true);
		if (place)
			put_place(p, place);
		fputs(place && place->inlined ? " (inlined)\n" : "\n", p->out);
		if (place && values)
			put_variables(p, values, index, place);
	}
}

/* @task's stack; with its variables if they are wanted and there are any. */
static void put_stack(const struct printer *p, const struct task *task, bool with_variables)
{
	const struct stack *stack = &task->stack;
	struct stack_values values = {};
	static const char *const labels[] = {
		[SECTION_TASK] = "TASK",
		[SECTION_IRQ] = "IRQ",
		[SECTION_NMI] = "NMI",
		[SECTION_EXCEPTION] = "EXCEPTION",
	};
	const char *label = NULL;

	if (with_variables)
		with_variables = report_stack_values(p->report, task, &values);
	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct frame *frame = &stack->frames.data[i];
		if (frame->section == SECTION_USER) {
			fprintf(p->out, "    user mode at 0x%llx\n", (unsigned long long)frame->pc);
			break;
		}
		/* The task's stack needs no label unless there was another one. */
		if (labels[frame->section] != label && (label || frame->section != SECTION_TASK))
			fprintf(p->out, "   <%s>\n", labels[frame->section]);
		label = labels[frame->section];
		put_frame(p, frame, i, with_variables ? &values : NULL);
	}
	stack_values_deinit(&values);
	if (stack->error || !stack->frames.count)
		fprintf(p->out, "    (%s)\n",
			stack->frames.count ? "the rest cannot be read" : "no stack");
}

/* Who reads of few tasks must know that there were more. What no kernel need have is no lack. */
static bool lacks_memory(const struct report *report)
{
	for (size_t i = 0; i < report->notes.count; i++)
		if (error_is_fault(report->notes.data[i].class))
			return true;
	return false;
}

/* In the capture kernel /proc/vmcore is read, and the report names the file that its reader will find. */
static void put_vmcore(const struct printer *p)
{
	const struct report *report = p->report;
	const char *read = report->kernel->source.vmcore;
	const char *incomplete = dump_is_complete(report->kernel->dump) ? "" : ", incomplete";
	const char *lacks = lacks_memory(report) ? "; not all could be read: see the end" : "";
	char line[2 * PATH_MAX];

	if (strcmp(read, report->vmcore))
		snprintf(line, sizeof(line), "%s, to be saved as %s%s%s", read, report->vmcore,
			 incomplete, lacks);
	else
		snprintf(line, sizeof(line), "%s (%s%s)%s", report->vmcore,
			 dump_format(report->kernel->dump), incomplete, lacks);
	fact(p, "vmcore", line);
}

static void put_verdict(const struct printer *p)
{
	const struct verdict *verdict = &p->report->verdict;
	char line[128];

	fprintf(p->out, "%s%s", p->bold, p->red);
	put_text(p, verdict->title);
	if (verdict->module)
		put_module(p, verdict->module);
	fprintf(p->out, "%s\n\n  ", p->plain);
	put_text(p, verdict->summary);
	fputs("\n\n", p->out);
	snprintf(line, sizeof(line), "%s, confidence %.2f, signature %s", verdict->kind,
		 verdict->confidence, verdict->signature);
	fact(p, "verdict", line);
}

/* "OE: out-of-tree module, unsigned module" */
static void put_taint(const struct printer *p, uint64_t taint)
{
	char letters[33];
	const char *before = ": ";

	machine_taint_letters(taint, letters);
	fprintf(p->out, "  %-10s %s", "tainted", letters[0] ? letters : "no");
	for (unsigned int bit = 0; letters[0] && bit < MACHINE_TAINT_BITS; bit++) {
		const char *words = machine_taint_words(taint, bit);
		if (!words)
			continue;
		fprintf(p->out, "%s%s", before, words);
		before = ", ";
	}
	fputc('\n', p->out);
}

static void put_kernel(const struct printer *p)
{
	const struct machine *machine = &p->report->machine;
	char line[512];
	time_t crash = machine->crash_time_s;
	struct tm tm;

	snprintf(line, sizeof(line), "%s%s%s", machine->release[0] ? machine->release : "unknown",
		 machine->machine[0] ? " " : "", machine->machine);
	fact(p, "kernel", line);
	if (machine->version[0])
		fact(p, "version", machine->version);
	if (machine->cmdline[0])
		fact(p, "cmdline", machine->cmdline);
	if (machine->taint != MACHINE_UNKNOWN)
		put_taint(p, machine->taint);
	if (machine->crash_time_s != MACHINE_UNKNOWN && gmtime_r(&crash, &tm)) {
		size_t len = strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S UTC", &tm);
		if (machine->uptime_ns != MACHINE_UNKNOWN)
			len += snprintf(line + len, sizeof(line) - len, ", up %.1f s",
					machine->uptime_ns / 1e9);
		if (machine->load[0] >= 0)
			snprintf(line + len, sizeof(line) - len, ", load %.2f, %.2f, %.2f",
				 machine->load[0], machine->load[1], machine->load[2]);
		fact(p, "crashed", line);
	}
	if (machine->panic)
		fact(p, "panic", machine->panic);
}

static void put_record(const struct printer *p)
{
	const struct record *record = p->report->record;
	char line[512];

	if (!record) {
		fact(p, "record", "none");
		return;
	}
	if (record->header->fired_by != RECORD_FIRED_NONE) {
		snprintf(line, sizeof(line), "lockdump, by %s: %s",
			 record->header->fired_by == RECORD_FIRED_SYSRQ ? "sysrq" : "the kernel",
			 record->header->fired_reason);
		fact(p, "trigger", line);
	}
	snprintf(line, sizeof(line), "%s, sampled by %s",
		 record->from == RECORD_FROM_VMCORE ? "out of the vmcore itself" : "from a file",
		 record->header->tick_hook);
	fact(p, "record", line);
}

static void put_files(const struct printer *p)
{
	const struct report *report = p->report;
	const struct kernel_source *source = &report->kernel->source;
	const char *vmlinux = debuginfo_vmlinux(report->kernel->debuginfo);

	put_vmcore(p);
	for (size_t i = 0; i < source->nr_more_parts; i++)
		fact(p, "part", source->more_parts[i]);
	if (vmlinux)
		fact(p, "vmlinux", vmlinux);
}

static void put_evidence(const struct printer *p)
{
	const struct verdict *verdict = &p->report->verdict;

	if (verdict->nr_evidence)
		heading(p, "Evidence");
	for (unsigned int i = 0; i < verdict->nr_evidence; i++) {
		fputs("  - ", p->out);
		put_text(p, verdict->evidence[i]);
		fputc('\n', p->out);
	}
}

/* Idle, and nothing came in between. Where it was in that is of no use to anybody. */
static bool is_idle(const struct report *report, size_t index)
{
	const struct cpu *cpu = &report->cpus.list.data[index];
	const struct task *task = report_on_cpu(report, cpu);
	const struct task *listed = tasks_find(&report->tasks, cpu->current);

	if (!task || cpu->current != cpu->idle || task->stack.error || !task->stack.frames.count ||
	    (listed && locks_waited_for(&report->locks, listed - report->tasks.list.data)))
		return false;
	for (size_t i = 0; i < task->stack.frames.count; i++)
		if (task->stack.frames.data[i].section != SECTION_TASK ||
		    !task->stack.frames.data[i].reliable)
			return false;
	return true;
}

/* What is wanted first: CPUs that hang; then those that did something. */
enum cpu_rank { RANK_HUNG, RANK_BUSY, RANK_IDLE, NR_RANKS };

static enum cpu_rank rank_of(const struct report *report, size_t index)
{
	const struct cpu *cpu = &report->cpus.list.data[index];

	if ((int32_t)cpu->number == report->verdict.cpu || report_cpu_stuck_s(report, index) >= 0)
		return RANK_HUNG;
	if ((int32_t)cpu->number == report->machine.panic_cpu)
		return RANK_BUSY;
	return is_idle(report, index) ? RANK_IDLE : RANK_BUSY;
}

static void put_cpu(const struct printer *p, size_t index, bool with_stack)
{
	const struct report *report = p->report;
	const struct cpu *cpu = &report->cpus.list.data[index];
	const struct task *task = tasks_find(&report->tasks, cpu->current);
	const struct task *shown = report_on_cpu(report, cpu);
	double stuck_s = report_cpu_stuck_s(report, index);

	fprintf(p->out, "\n%sCPU %u%s  ", p->bold, cpu->number, p->plain);
	if (task) {
		put_text(p, task->comm);
		fprintf(p->out, " (pid %u)", task->pid);
	} else {
		fprintf(p->out, "%s that cannot be read",
			cpu->current == cpu->idle ? "an idle task" : "a task");
	}
	if (stuck_s >= 0)
		fprintf(p->out, "%s  stuck for %.1f s%s", p->red, stuck_s, p->plain);
	fprintf(p->out, "%s  %u runnable, registers from %s%s\n", p->dim, cpu->nr_running,
		cpu->registers_from			? report_registers_from(cpu->registers_from)
		: dump_is_live(p->report->kernel->dump) ? "nowhere: it runs"
							: "nowhere: it did not answer",
		p->plain);
	fputs(p->dim, p->out);
	text_put_cpu_state(report, index, "  ", p->out);
	fputs(p->plain, p->out);
	if (!with_stack) {
		fputs("    idle\n", p->out);
	} else if (shown) {
		if (task)
			text_put_wait(report, task - report->tasks.list.data, p->out);
		put_stack(p, shown, (int32_t)cpu->number == report->verdict.cpu);
	}
}

static void put_cpus(const struct printer *p, bool all_stacks)
{
	const struct report *report = p->report;

	for (enum cpu_rank rank = 0; rank < NR_RANKS; rank++)
		for (size_t i = 0; i < report->cpus.list.count; i++)
			if (report->cpus.list.data[i].online && rank_of(report, i) == rank)
				put_cpu(p, i, rank != RANK_IDLE || all_stacks);
	text_put_offline(report, "\n", p->out);
}

static void put_locks(const struct printer *p)
{
	if (!text_has_locks(p->report))
		return;
	heading(p, "Locks");
	text_put_locks(p->report, p->out);
}

/* The interrupted function and who called it, on one line. */
static void put_callers(const struct printer *p, const struct record_sample *sample)
{
	const __u64 *pcs;
	uint64_t pc = sample->regs[p->report->kernel->unwinder.arch->pc];
	size_t count = sample_stack(sample, pc, &pcs);

	put_symbol(p, pc, true, false);
	for (size_t i = 1; i < count && i <= SHOWN_CALLERS; i++) {
		fprintf(p->out, "%s < ", p->dim);
		put_symbol(p, pcs[i], false, false);
		fputs(p->plain, p->out);
	}
}

static void put_timeline(const struct printer *p)
{
	const struct timeline *timeline = &p->report->timeline;

	if (!timeline->events.count)
		return;
	heading(p, "Time line (seconds to the crash)");
	for (size_t i = 0; i < timeline->events.count; i++) {
		const struct event *event = &timeline->events.data[i];
		/* No minus before a zero. */
		fprintf(p->out, "  %8.3f  CPU %-3d %-9s ",
			fabs(event->t_s) < 0.0005 ? 0.0 : event->t_s, event->cpu,
			event_name(event->kind));
		if (event->sample) {
			put_text(p, event->sample->comm);
			fprintf(p->out, "/%u  ", event->sample->pid);
		}
		if (event->kind == EVENT_SAMPLE)
			put_callers(p, event->sample);
		else if (event->text)
			put_text(p, event->text);
		fputc('\n', p->out);
	}
}

static void put_task(const struct printer *p, uint32_t place)
{
	const struct task *task = &p->report->tasks.list.data[place];

	fputs("\n  ", p->out);
	put_text(p, task->comm);
	fprintf(p->out, "%s  pid %u, %s %u, state %c", p->dim, task->pid,
		task->pid == task->tgid ? "parent" : "thread of",
		task->pid == task->tgid ? task->ppid : task->tgid, task->state);
	if (task->cpu != TASK_NO_CPU)
		fprintf(p->out, ", CPU %u%s", task->cpu, task->running ? ", running" : "");
	if (task->wait_ns != CLOCK_UNKNOWN)
		fprintf(p->out, ", not run for %.1f s", task->wait_ns / 1e9);
	fprintf(p->out, "%s\n", p->plain);
	text_put_wait(p->report, place, p->out);
	put_stack(p, task, false);
}

/* A task that the verdict is about: its culprit, or one of a circle. */
static bool is_judged(const struct report *report, uint32_t place)
{
	const struct verdict *verdict = &report->verdict;

	for (size_t i = 0; i < verdict->cycle.count && i < WAIT_CYCLE_MAX; i++)
		if (verdict->cycle.tasks[i] == place)
			return true;
	return verdict->has_task && verdict->task.pid &&
	       report->tasks.list.data[place].pid == verdict->task.pid;
}

/* Its stack is shown with its CPU. */
static bool is_on_cpu(const struct report *report, uint32_t place)
{
	const struct task *task = &report->tasks.list.data[place];

	return task->running && !dump_is_live(report->kernel->dump);
}

/* By place in the list of tasks: who keeps others waiting. NULL if there is no memory. */
static bool *find_obstacles(const struct report *report)
{
	bool *ret = calloc(report->tasks.list.count + 1, sizeof(*ret));

	for (size_t i = 0; ret && i < report->locks.list.count; i++) {
		const struct lock *lock = &report->locks.list.data[i];
		if (!report_is_contended(report, lock))
			continue;
		for (size_t j = 0; j < lock->holders.count; j++)
			ret[lock->holders.data[j].task] = true;
	}
	return ret;
}

/* Besides those that hang, whoever others wait for, in whatever state that is. */
static bool is_of_interest(const struct task *task, bool is_obstacle)
{
	return task->state == 'R' || task->state == 'D' ? task->pid : is_obstacle;
}

static void put_tasks(const struct printer *p, bool all)
{
	const struct report *report = p->report;
	const struct task *tasks = report->tasks.list.data;
	_cleanup_free_ bool *obstacles = find_obstacles(report);
	uint32_t count = report->tasks.list.count, shown = 0;

	heading(p, all ? "Tasks" : "Tasks that wait for a CPU, hang, or keep others waiting");
	for (uint32_t i = 0; i < count; i++)
		if (is_judged(report, i) && (all || !is_on_cpu(report, i)) && ++shown)
			put_task(p, i);
	for (uint32_t i = 0; i < count; i++)
		if (!is_judged(report, i) &&
		    (all || (is_of_interest(&tasks[i], obstacles && obstacles[i]) &&
			     !is_on_cpu(report, i))) &&
		    ++shown)
			put_task(p, i);
	if (!all)
		fprintf(p->out,
			"\n  %u of %u tasks, besides those on CPUs; --all-tasks shows all\n", shown,
			count);
}

static void put_modules(const struct printer *p)
{
	const struct modules *modules = &p->report->kernel->symbols.modules;

	heading(p, "Modules");
	for (size_t i = 0; i < modules->list.count; i++) {
		const struct module *module = &modules->list.data[i];
		char letters[33];
		machine_taint_letters(module->taints, letters);
		fprintf(p->out, "  0x%llx %8llu  ", (unsigned long long)module->regions[0].start,
			(unsigned long long)module->size);
		put_text(p, module->name);
		fprintf(p->out, "%s%s%s\n", letters[0] ? " (" : "", letters, letters[0] ? ")" : "");
	}
}

static void put_dmesg(const struct printer *p)
{
	const struct dmesg *dmesg = &p->report->dmesg;
	size_t first = dmesg->lines.count > DMESG_TAIL ? dmesg->lines.count - DMESG_TAIL : 0;

	heading(p, "The end of the kernel's log");
	for (size_t i = first; i < dmesg->lines.count; i++) {
		fprintf(p->out, "  [%5llu.%06llu] ",
			NANOSECONDS(dmesg->lines.data[i].t_ns / 1000000000),
			NANOSECONDS(dmesg->lines.data[i].t_ns / 1000 % 1000000));
		put_text(p, dmesg->lines.data[i].text);
		fputc('\n', p->out);
	}
}

static void put_notes(const struct printer *p)
{
	const struct report *report = p->report;

	if (report->notes.count)
		heading(p, "What could not be read");
	for (size_t i = 0; i < report->notes.count; i++) {
		fprintf(p->out, "  - %s: ", error_class_name(report->notes.data[i].class));
		put_text(p, report->notes.data[i].text);
		fputc('\n', p->out);
	}
}

struct error *report_print_text(const struct report *report, bool all_tasks, bool colour, FILE *out)
{
	const struct printer p = {
		.report = report,
		.out = out,
		.bold = colour ? "\033[1m" : "",
		.red = colour ? "\033[31m" : "",
		.dim = colour ? "\033[2m" : "",
		.plain = colour ? "\033[0m" : "",
	};

	put_verdict(&p);
	put_kernel(&p);
	put_record(&p);
	put_files(&p);
	put_evidence(&p);
	put_cpus(&p, all_tasks);
	put_locks(&p);
	put_timeline(&p);
	put_tasks(&p, all_tasks);
	heading(&p, "Memory");
	text_put_memory(report, out);
	put_modules(&p);
	put_dmesg(&p);
	put_notes(&p);
	if (fflush(out) || ferror(out))
		return error_errno("cannot write");
	return NULL;
}
