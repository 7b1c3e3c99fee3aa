/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report says, gathered once and printed in any form: "lockdump.report/1". */
#ifndef LOCKDUMP_REPORT_H
#define LOCKDUMP_REPORT_H

#include <stdio.h>

#include "state/variables.h"
#include "state/cpu_state.h"
#include "verdict/verdict.h"

/* Something that could not be read. */
struct report_note {
	enum error_class class;
	uint64_t address;
	const char *text;
};

struct report {
	struct kernel *kernel;
	const char *vmcore;
	const struct record *record; /* NULL: none */
	struct machine machine;
	struct cpus cpus;
	struct clocks clocks;
	struct tasks tasks;
	struct locks locks;
	struct cpu_states cpu_states;
	struct dmesg dmesg;
	struct timeline timeline;
	struct verdict verdict;
	VECTOR(struct report_note) notes;
	struct arena text;
};

/*
 * Gathers all that there is to say of @kernel, whose vmcore is called @vmcore in the report. @record may be
 * NULL. All three must live as long as the report. What cannot be read ends in the report's notes, not in an error.
 */
struct error *report_create(struct kernel *kernel, const char *vmcore, const struct record *record,
			    struct report **ret);
void report_destroy(struct report *report);

/* Adds a note that says @err, which is freed. */
struct error *report_note(struct report *report, struct error *err);

struct error *report_print_text(const struct report *report, bool all_tasks, bool colour,
				FILE *out);
struct error *report_print_json(const struct report *report, FILE *out);

/* The task whose stack is what @cpu did, though it be lost otherwise; or NULL. */
const struct task *report_on_cpu(const struct report *report, const struct cpu *cpu);

/*
 * Whether @lock keeps somebody from going on: any lock that somebody holds, and a queue or completion
 * that a task waits for without being interruptible. Most of what sleeps just waits for something to do.
 */
bool report_is_contended(const struct report *report, const struct lock *lock);

/* For how many seconds @task has waited for what it waits for; below 0: unknown. */
double report_waited_s(const struct report *report, const struct task *task);

/* The state of report->cpus.list.data[index]; NULL: not known. */
const struct cpu_state *report_cpu_state(const struct report *report, size_t index);

/* How long that CPU had been stuck at the crash, in seconds; below 0 if it was not. */
double report_cpu_stuck_s(const struct report *report, size_t index);

/* The processes with the most resident memory, largest first; returns how many. */
#define REPORT_TOP_TASKS 10
size_t report_largest_tasks(const struct report *report, const struct task *ret[REPORT_TOP_TASKS]);

/* Where the frame is in the source, or NULL. */
const struct source_places *report_places(struct kernel *kernel, const struct frame *frame);

/* To ask for the variables of @task's stack. False: there are none; @ret is to be given back in any case. */
bool report_stack_values(const struct report *report, const struct task *task,
			 struct stack_values *ret);

/*
 * Which of @frames are of a softirq: it has no stack of its own on x86-64, but is known by the function that runs it.
 * What that calls is of it too, up to the next interrupt. To be freed; NULL if there is no memory.
 */
bool *report_find_softirqs(struct kernel *kernel, const struct frame *frames, size_t count);

/* "task", "irq", "softirq", ...: interface.md's words. */
const char *report_section(const struct frame *frame, bool in_softirq);

/* "crash_notes", ..., or NULL. */
const char *report_registers_from(enum registers_from from);

#endif
