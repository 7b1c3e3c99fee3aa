/* SPDX-License-Identifier: GPL-2.0-only */
/* What it means: who hung, where, for how long, and how we know. A file for each rule. */
#ifndef LOCKDUMP_VERDICT_H
#define LOCKDUMP_VERDICT_H

#include "state/cpu_state.h"
#include "state/locks.h"
#include "verdict/timeline.h"
#include "verdict/wait_graph.h"

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
	char summary[1024];
	double confidence; /* 0..1 */
	int32_t cpu; /* -1: none */
	bool has_task;
	struct verdict_task task; /* the culprit */
	const char *function; /* to blame, or NULL */
	const char *module; /* of the function; NULL: the core kernel */
	double stuck_s; /* at the crash; below 0: unknown */
	const struct lock *lock; /* that is waited for, or NULL */
	struct wait_cycle cycle; /* count 0: none */
	char evidence[VERDICT_MAX_EVIDENCE][1024];
	unsigned int nr_evidence;
};

/* All that the rules look at. */
struct verdict_input {
	struct kernel *kernel;
	const struct cpus *cpus;
	const struct tasks *tasks;
	const struct locks *locks;
	const struct cpu_states *cpu_states; /* NULL: not known */
	const struct dmesg *dmesg;
	const struct machine *machine;
	const struct record *record; /* NULL: none */
};

void verdict_init(struct verdict *verdict, const struct verdict_input *input);

/* How long @cpu had been stuck at the crash, in seconds; below 0 if it was not. */
double verdict_cpu_stuck_s(const struct record *record, uint32_t cpu);

/* The same, by whoever of the record and the dump knows it better. @state: the CPU's, or NULL. */
double verdict_stuck_s(const struct record *record, const struct cpu_state *state, uint32_t cpu);

/* For the rules. */
void verdict_add_evidence(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "KIND-xxxxxxxx": a hash over the names of the functions from @function outwards in @stack. */
void verdict_sign(struct verdict *verdict, struct kernel *kernel, const struct stack *stack);

/* Makes @task the culprit, with the function that its frame @frame is in. */
void verdict_blame(struct verdict *verdict, const struct verdict_input *input,
		   const struct task *task, size_t frame);

/*
 * Index of the frame that was interrupted, if @stack begins in an interrupt or NMI, else 0: where a CPU hangs that
 * takes interrupts, and one that panicked in an NMI. A softirq is no interrupt here: it is what may hang.
 */
size_t verdict_interrupted_frame(struct kernel *kernel, const struct stack *stack);

/* "holds", "is to end", "owes", "seems to hold", ... */
const char *verdict_what_holder_does(const struct lock *lock, bool certain);

/*
 * "abba_a (pid 279) waits for mutex ldhang_mutex_b [ldhang], held by abba_b (pid 284)" to the evidence; for the
 * task at @place of the tasks, which waits for something.
 */
void verdict_add_wait(struct verdict *verdict, const struct verdict_input *input, uint32_t place);

/* The place of @task, which must be one of the input's. */
uint32_t verdict_place(const struct verdict_input *input, const struct task *task);

/* A CPU that hung. */
struct stuck_cpu {
	uint32_t number;
	double seconds;
	bool recorded; /* by the flight record */
	bool deaf; /* it takes no interrupts, as its timers show */
	bool seen; /* in the dump's run queues; else, of these, the kernel's log says so */
};

/* The one that the trigger named, else the one that is stuck for longest. False: none is. */
bool verdict_stuck_cpu(const struct verdict_input *input, struct stuck_cpu *ret);

/* Whether CPU @number takes no interrupts. */
bool verdict_is_deaf(const struct verdict_input *input, uint32_t number, struct stuck_cpu *ret);

/*
 * That of verdict_stuck_cpu() if it spins, for a lock or @for_answer of another CPU. Else one that does so and hangs too, if it waits
 * for the one above: of the two it is chance which has hung for longer.
 */
bool verdict_stuck_spinner(const struct verdict_input *input, bool for_answer,
			   struct stuck_cpu *ret, const struct task **waiter_ret);

/* "CPU 1 last switched tasks 12.1 s before the crash (flight record)", or by what else it is known, to the evidence. */
void verdict_add_stuck(struct verdict *verdict, const struct stuck_cpu *stuck);

/* The task that ran on CPU @number, or NULL. */
const struct task *verdict_current(const struct verdict_input *input, uint32_t number);

/* The same, if all of it is lost but its stack; or NULL. */
const struct task *verdict_lost(const struct verdict_input *input, uint32_t number);

/* Titles it as the kernel's watchdog would: a soft lockup in verdict->function. */
void verdict_call_lockup(struct verdict *verdict);

/* Adds what the kernel's own watchdog says of verdict->cpu and verdict->task. */
void verdict_add_watchdog(struct verdict *verdict, const struct dmesg *dmesg);

/*
 * If @task, which is blamed already, hangs itself: blames the innermost function of its stack that it never left, by
 * the record's samples, and adds what was compared to the evidence.
 */
void verdict_blame_stuck(struct verdict *verdict, const struct verdict_input *input,
			 const struct task *task);

/* The rules, each true if it applies. A cycle of tasks that wait for each other. */
bool rule_deadlock(struct verdict *verdict, const struct verdict_input *input);

/* A CPU that spins for a lock. */
bool rule_spinlock_wait(struct verdict *verdict, const struct verdict_input *input);

/* A CPU that waits for another to run a function that it asked it for. */
bool rule_ipi_wait(struct verdict *verdict, const struct verdict_input *input);

/* A CPU that takes no interrupts. */
bool rule_hard_lockup(struct verdict *verdict, const struct verdict_input *input);

/* A CPU in kernel code that does not schedule. */
bool rule_busy_loop(struct verdict *verdict, const struct verdict_input *input);

/* A task that sleeps without being interruptible, for too long. */
bool rule_hung_task(struct verdict *verdict, const struct verdict_input *input);

#endif
