/* SPDX-License-Identifier: GPL-2.0-only */
/* What it means: who hung, where, for how long, and how we know. A file for each rule. */
#ifndef LOCKDUMP_VERDICT_H
#define LOCKDUMP_VERDICT_H

#include "state/tasks.h"
#include "verdict/timeline.h"

#define VERDICT_MAX_EVIDENCE 8

/* A task by what a report calls it: it may be known from the record alone. */
struct verdict_task {
	uint32_t pid;
	uint32_t tgid;
	char comm[TASK_COMM_SIZE];
};

struct verdict {
	const char *kind; /* interface.md's word; "none": nothing hung */
	char title[256];
	char signature[64];
	char summary[256];
	double confidence; /* 0..1 */
	int32_t cpu; /* -1: none */
	bool has_task;
	struct verdict_task task; /* the culprit */
	const char *function; /* to blame, or NULL */
	const char *module; /* of the function; NULL: the core kernel */
	double stuck_s; /* at the crash; below 0: unknown */
	char evidence[VERDICT_MAX_EVIDENCE][256];
	unsigned int nr_evidence;
};

/* All that the rules look at. */
struct verdict_input {
	struct kernel *kernel;
	const struct cpus *cpus;
	const struct tasks *tasks;
	const struct dmesg *dmesg;
	const struct machine *machine;
	const struct record *record; /* NULL: none */
};

void verdict_init(struct verdict *verdict, const struct verdict_input *input);

/* How long @cpu had been stuck at the crash, in seconds; below 0 if it was not. */
double verdict_cpu_stuck_s(const struct record *record, uint32_t cpu);

/* For the rules. */
void verdict_add_evidence(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "KIND-xxxxxxxx": a hash over the names of the functions from @function outwards in @stack. */
void verdict_sign(struct verdict *verdict, struct kernel *kernel, const struct stack *stack);

/* A CPU in kernel code that does not schedule. True if it applies. */
bool rule_busy_loop(struct verdict *verdict, const struct verdict_input *input);

#endif
