// SPDX-License-Identifier: GPL-2.0-only
/* The report as JSON. What each member means: interface.md, "lockdump.report/1". */
#include "base/cleanup.h"
#include "report/json_locks.h"
#include "report/json_state.h"

typedef struct json_object json;

static json *source(const struct report *report)
{
	json *object = json_object_new_object(), *notes = json_object_new_array();
	json *parts = json_object_new_array();
	const struct kernel_source *from = &report->kernel->source;
	const char *record = "none";

	if (report->record)
		record = report->record->from == RECORD_FROM_VMCORE ? "vmcore" : "file";
	for (size_t i = 0; i < report->notes.count; i++) {
		const struct report_note *note = &report->notes.data[i];
		json *entry = json_object_new_object();
		json_add(entry, "class", json_text(error_class_name(note->class)));
		json_add(entry, "address", note->address ? json_address(note->address) : NULL);
		json_add(entry, "text", json_text(note->text));
		json_object_array_add(notes, entry);
	}
	json_object_array_add(parts, json_text(report->vmcore));
	for (size_t i = 0; i < from->nr_more_parts; i++)
		json_object_array_add(parts, json_text(from->more_parts[i]));
	json_add(object, "vmcore", json_text(report->vmcore));
	json_add(object, "parts", parts);
	json_add(object, "record", json_text(record));
	json_add(object, "log", NULL);
	json_add(object, "vmlinux", json_text(debuginfo_vmlinux(report->kernel->debuginfo)));
	json_add(object, "complete",
		 json_object_new_boolean(dump_is_complete(report->kernel->dump)));
	json_add(object, "notes", notes);
	return object;
}

static json *task_name(uint32_t pid, uint32_t tgid, const char *comm)
{
	json *object = json_object_new_object();

	json_add(object, "pid", json_number(pid));
	json_add(object, "tgid", json_number(tgid));
	json_add(object, "comm", json_text(comm));
	return object;
}

static json *verdict(const struct report *report)
{
	const struct verdict *v = &report->verdict;
	json *object = json_object_new_object(), *evidence = json_object_new_array();

	for (unsigned int i = 0; i < v->nr_evidence; i++)
		json_object_array_add(evidence, json_text(v->evidence[i]));
	json_add(object, "kind", json_text(v->kind));
	json_add(object, "summary", json_text(v->summary));
	json_add(object, "confidence", json_double(v->confidence));
	json_add(object, "cpu", v->cpu < 0 ? NULL : json_number(v->cpu));
	json_add(object, "task",
		 v->has_task ? task_name(v->task.pid, v->task.tgid, v->task.comm) : NULL);
	json_add(object, "function", json_text(v->function));
	json_add(object, "module", json_text(v->module));
	json_add(object, "stuck_s", v->stuck_s < 0 ? NULL : json_double(v->stuck_s));
	json_add(object, "lock", json_waits_for(report, v->lock));
	json_add(object, "cycle", json_cycle(report));
	json_add(object, "evidence", evidence);
	return object;
}

/* @i: the frame's number in the stack of @values, which is NULL if only the pc is known. */
static json *variables(struct stack_values *values, size_t i, const struct source_place *place)
{
	json *array = json_object_new_array();
	struct variables variables;

	if (!values || !place)
		return array;
	variables_init(&variables, values, i, place);
	for (size_t v = 0; v < variables.list.count; v++) {
		json *entry = json_object_new_object();
		json_add(entry, "name", json_text(variables.list.data[v].name));
		json_add(entry, "type", json_text(variables.list.data[v].type));
		json_add(entry, "value", json_text(variables.list.data[v].value));
		json_object_array_add(array, entry);
	}
	variables_deinit(&variables);
	return array;
}

/* The frame itself, or at a @place that is inlined, that of a function without a frame of its own. */
static json *frame(const struct frame *f, const char *section, const struct symbol *symbol,
		   const struct source_place *place, json *its_variables)
{
	json *object = json_object_new_object();
	bool inlined = place && place->inlined, named = symbol->name && !inlined;

	json_add(object, "pc", json_address(f->pc));
	json_add(object, "symbol", json_text(inlined ? place->function : symbol->name));
	json_add(object, "offset", named ? json_number(f->pc - symbol->start) : NULL);
	json_add(object, "size", named && symbol->size ? json_number(symbol->size) : NULL);
	json_add(object, "module", json_text(symbol->module ? symbol->module->name : NULL));
	json_add(object, "section", json_text(section));
	json_add(object, "file", json_text(place ? place->file : NULL));
	json_add(object, "line", place && place->line ? json_number(place->line) : NULL);
	json_add(object, "inlined", json_object_new_boolean(inlined));
	json_add(object, "reliable", json_object_new_boolean(f->reliable));
	json_add(object, "variables", its_variables);
	return object;
}

static void add_frames(json *array, struct kernel *k, const struct frame *f, const char *section,
		       struct stack_values *values, size_t i)
{
	const struct source_places *places = report_places(k, f);
	struct symbol symbol = {};

	if (f->section != SECTION_USER)
		symbol = symbols_lookup(&k->symbols, f->pc - !f->interrupted);
	for (size_t p = 0; places && p < places->count; p++)
		json_object_array_add(array, frame(f, section, &symbol, &places->list[p],
						   variables(values, i, &places->list[p])));
	if (!places)
		json_object_array_add(array,
				      frame(f, section, &symbol, NULL, json_object_new_array()));
}

/* @values is NULL if only the pcs are known. */
static json *all_frames(struct kernel *k, const struct frame *frames, size_t count,
			struct stack_values *values)
{
	json *array = json_object_new_array();
	_cleanup_free_ bool *softirqs = report_find_softirqs(k, frames, count);

	for (size_t i = 0; i < count; i++)
		add_frames(array, k, &frames[i],
			   report_section(&frames[i], softirqs && softirqs[i]), values, i);
	return array;
}

/* That of @t, which may be NULL. */
static json *stack(const struct report *report, const struct task *t)
{
	struct stack_values values;

	if (!t)
		return json_object_new_array();
	bool has_values = report_stack_values(report, t, &values);
	json *array = all_frames(report->kernel, t->stack.frames.data, t->stack.frames.count,
				 has_values ? &values : NULL);
	stack_values_deinit(&values);
	return array;
}

static json *sample_frames(struct kernel *k, const struct record_sample *sample)
{
	struct frame frames[RECORD_STACK_MAX] = {};
	const __u64 *pcs;

	if (!sample)
		return json_object_new_array();
	size_t count = sample_stack(sample, sample->regs[k->unwinder.arch->pc], &pcs);
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct frame){ .pc = pcs[i], .interrupted = !i, .reliable = true };
	return all_frames(k, frames, count, NULL);
}

static json *task(const struct report *report, const struct task *t)
{
	json *object = json_object_new_object();
	char state[2] = { t->state, '\0' };

	json_add(object, "pid", json_number(t->pid));
	json_add(object, "tgid", json_number(t->tgid));
	json_add(object, "ppid", json_number(t->ppid));
	json_add(object, "comm", json_text(t->comm));
	json_add(object, "state", json_text(state));
	json_add(object, "cpu", t->cpu == TASK_NO_CPU ? NULL : json_number(t->cpu));
	json_add(object, "registers_from", json_text(report_registers_from(t->registers_from)));
	json_add(object, "wait_s", json_seconds(t->wait_ns));
	json_add(object, "waits_for",
		 json_waits_for(report,
				locks_waited_for(&report->locks, t - report->tasks.list.data)));
	json_add_task_state(object, t);
	json_add(object, "stack", stack(report, t));
	return object;
}

static json *cpu(const struct report *report, size_t index)
{
	const struct cpu *c = &report->cpus.list.data[index];
	json *object = json_object_new_object();
	const struct task *current = tasks_find(&report->tasks, c->current);
	double stuck_s = report_cpu_stuck_s(report, index);
	json *name = NULL;

	if (current) {
		char state[2] = { current->state, '\0' };
		name = task_name(current->pid, current->tgid, current->comm);
		json_add(name, "state", json_text(state));
	}
	json_add(object, "cpu", json_number(c->number));
	json_add(object, "online", json_object_new_boolean(c->online));
	json_add(object, "stuck", json_object_new_boolean(stuck_s >= 0));
	json_add(object, "stuck_s", stuck_s >= 0 ? json_double(stuck_s) : NULL);
	json_add(object, "task", name);
	json_add(object, "registers_from", json_text(report_registers_from(c->registers_from)));
	json_add(object, "runqueue", json_runqueue(report, index));
	json_add_cpu_state(object, report, index);
	json_add(object, "stack", stack(report, report_on_cpu(report, c)));
	return object;
}

static json *event(const struct report *report, const struct event *e)
{
	json *object = json_object_new_object();

	json_add(object, "t_s", json_double(e->t_s));
	json_add(object, "cpu", e->cpu < 0 ? NULL : json_number(e->cpu));
	json_add(object, "event", json_text(event_name(e->kind)));
	json_add(object, "pid", e->sample ? json_number(e->sample->pid) : NULL);
	json_add(object, "comm", json_text(e->sample ? e->sample->comm : NULL));
	json_add(object, "text", json_text(e->text));
	json_add(object, "stack",
		 sample_frames(report->kernel, e->kind == EVENT_SAMPLE ? e->sample : NULL));
	return object;
}

static json *module(const struct module *m)
{
	json *object = json_object_new_object();
	char letters[33];

	machine_taint_letters(m->taints, letters);
	json_add(object, "name", json_text(m->name));
	json_add(object, "address", json_address(m->regions[0].start));
	json_add(object, "size", json_number(m->size));
	json_add(object, "taint", json_text(letters));
	return object;
}

/* "T173" or "C1", as the kernel prints it with CONFIG_PRINTK_CALLER. */
static json *caller(const struct dmesg_line *line)
{
	char text[16];

	if (!line->has_caller)
		return NULL;
	snprintf(text, sizeof(text), "%c%u", line->caller & DMESG_CALLER_CPU ? 'C' : 'T',
		 line->caller & ~DMESG_CALLER_CPU);
	return json_object_new_string(text);
}

static json *log_line(const struct dmesg_line *line)
{
	json *object = json_object_new_object();

	/* Cut off to the microsecond, as the kernel prints it. */
	json_add(object, "t_s", json_seconds(line->t_ns / 1000 * 1000));
	json_add(object, "level", json_number(line->level));
	json_add(object, "text", json_text(line->text));
	json_add(object, "caller", caller(line));
	json_add(object, "subsystem", json_text(line->subsystem));
	json_add(object, "device", json_text(line->device));
	return object;
}

struct error *report_print_json(const struct report *report, FILE *out)
{
	const struct modules *modules = &report->kernel->symbols.modules;
	struct json_writer w;
	json *tool = json_object_new_object();

	json_add(tool, "version", json_text(LOCKDUMP_VERSION));
	json_begin(&w, out);
	json_write(&w, "schema", json_text("lockdump.report/1"));
	json_write(&w, "tool", tool);
	json_write(&w, "source", source(report));
	json_write(&w, "title", json_text(report->verdict.title));
	json_write(&w, "signature", json_text(report->verdict.signature));
	json_write(&w, "kernel", json_kernel(report));
	json_write(&w, "verdict", verdict(report));
	json_begin_array(&w, "cpus");
	for (size_t i = 0; i < report->cpus.list.count; i++)
		json_write_element(&w, cpu(report, i));
	json_end_array(&w);
	json_begin_array(&w, "tasks");
	for (size_t i = 0; i < report->tasks.list.count; i++)
		json_write_element(&w, task(report, &report->tasks.list.data[i]));
	json_end_array(&w);
	json_begin_array(&w, "timeline");
	for (size_t i = 0; i < report->timeline.events.count; i++)
		json_write_element(&w, event(report, &report->timeline.events.data[i]));
	json_end_array(&w);
	json_begin_array(&w, "locks");
	for (size_t i = 0; i < report->locks.list.count; i++)
		if (report_is_contended(report, &report->locks.list.data[i]))
			json_write_element(&w, json_lock(report, &report->locks.list.data[i]));
	json_end_array(&w);
	json_write(&w, "memory", json_memory(report));
	json_begin_array(&w, "modules");
	for (size_t i = 0; i < modules->list.count; i++)
		json_write_element(&w, module(&modules->list.data[i]));
	json_end_array(&w);
	json_begin_array(&w, "dmesg");
	for (size_t i = 0; i < report->dmesg.lines.count; i++)
		json_write_element(&w, log_line(&report->dmesg.lines.data[i]));
	json_end_array(&w);
	return json_end(&w);
}
