/* SPDX-License-Identifier: GPL-2.0-only */
/* Every task: idle tasks, processes, their threads. */
#ifndef LOCKDUMP_TASKS_H
#define LOCKDUMP_TASKS_H

#include "base/address_map.h"
#include "state/scheduling.h"

#define TASK_COMM_SIZE 16 /* TASK_COMM_LEN */

#define TASK_NO_CPU UINT32_MAX

struct task {
	uint64_t address; /* of its task_struct */
	uint32_t pid; /* 0: an idle task */
	uint32_t tgid;
	uint32_t ppid;
	char comm[TASK_COMM_SIZE];
	char state; /* ps's letter */
	uint32_t cpu; /* that it runs on or ran on last; TASK_NO_CPU: not known */
	bool running; /* it was on that CPU */
	bool killable; /* in D, but a signal that kills ends it: TASK_KILLABLE */
	bool kernel_thread;
	uint64_t stack_base; /* task_struct.stack */
	uint64_t sp; /* of a task that was switched out */
	uint64_t mm; /* its mm_struct; 0: none of its own */
	uint64_t rss_pages; /* of the process, the same for all of its threads */
	struct scheduling scheduling;
	uint64_t wait_ns; /* how long it has not run; CLOCK_UNKNOWN: it runs, or nothing tells */

	enum registers_from registers_from;
	struct stack stack;
};

struct tasks {
	VECTOR(struct task) list; /* idle tasks first, then as the kernel's list has them */
	struct address_map index; /* each task_struct once, with its place in the list */
	/* That ran on a CPU, but cannot be read: of these address, CPU and stack alone are known. */
	VECTOR(struct task) lost; /* in the order of their CPUs */
	struct error *error; /* why the list is not whole, or NULL */
};

/* Reads all tasks and walks their stacks. What cannot be read ends in tasks->error and stack.error. */
void tasks_init(struct tasks *tasks, struct kernel *kernel, const struct cpus *cpus);
void tasks_deinit(struct tasks *tasks);

/* What the walk of its stack began with: those of a task that was switched out are not all known. */
struct error *task_registers(struct kernel *kernel, const struct cpus *cpus,
			     const struct task *task, struct registers *ret);

/* Sets wait_ns of all tasks. */
void tasks_set_waits(struct tasks *tasks, const struct cpus *cpus, const struct clocks *clocks);

/* The task whose task_struct is at @address, or NULL. */
const struct task *tasks_find(const struct tasks *tasks, uint64_t address);

/* That which ran on @cpu: of the list, or lost; or NULL. */
const struct task *tasks_on_cpu(const struct tasks *tasks, const struct cpu *cpu);

#endif
