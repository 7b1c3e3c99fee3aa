// SPDX-License-Identifier: GPL-2.0-only
#include "verdict/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first that applies counts: from the most telling to the most general. */
static bool (*const rules[])(struct verdict *, const struct verdict_input *) = {
	rule_deadlock,	  rule_spinlock_wait, rule_ipi_wait,
	rule_hard_lockup, rule_busy_loop,     rule_hung_task,
};

void verdict_add_evidence(struct verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->nr_evidence == VERDICT_MAX_EVIDENCE)
		return;
	va_start(args, format);
	vsnprintf(verdict->evidence[verdict->nr_evidence++], sizeof(verdict->evidence[0]), format,
		  args);
	va_end(args);
}

uint32_t verdict_place(const struct verdict_input *input, const struct task *task)
{
	return task - input->tasks->list.data;
}

void verdict_add_wait(struct verdict *verdict, const struct verdict_input *input, uint32_t place)
{
	const struct task *task = &input->tasks->list.data[place];
	const struct lock *lock = locks_waited_for(input->locks, place);
	char what[LOCK_TEXT_SIZE], held[512] = "";

	if (!lock)
		return;
	lock_describe(lock, what, sizeof(what));
	if (lock->holders.count) {
		const struct lock_holder *holder = &lock->holders.data[0];
		const struct task *its = &input->tasks->list.data[holder->task];
		if (lock->type == LOCK_IPI)
			snprintf(held, sizeof(held), ", which runs %s (pid %u)", its->comm,
				 its->pid);
		else
			snprintf(held, sizeof(held), ", %s %sby %s (pid %u)%s%s",
				 lock_participle(lock), holder->certain ? "" : "probably ",
				 its->comm, its->pid, holder->why ? ": " : "",
				 holder->why ? holder->why : "");
	}
	bool spins = lock->spinning && lock->type != LOCK_IPI;
	verdict_add_evidence(verdict, "%s (pid %u) %s %s%s", task->comm, task->pid,
			     spins ? "spins for" : "waits for", what, held);
}

void verdict_blame(struct verdict *verdict, const struct verdict_input *input,
		   const struct task *task, size_t frame)
{
	verdict->has_task = true;
	verdict->task = (struct verdict_task){ .pid = task->pid, .tgid = task->tgid };
	memcpy(verdict->task.comm, task->comm, sizeof(verdict->task.comm));
	verdict->cpu = task->running ? (int32_t)task->cpu : -1;
	verdict->function = verdict->module = NULL;
	if (frame >= task->stack.frames.count)
		return;
	const struct frame *f = &task->stack.frames.data[frame];
	const struct symbol symbol =
		symbols_lookup(&input->kernel->symbols, f->pc - !f->interrupted);
	verdict->function = symbol.name;
	verdict->module = symbol.module ? symbol.module->name : NULL;
}

double verdict_cpu_stuck_s(const struct record *record, uint32_t cpu)
{
	if (!record || cpu >= record->header->nr_slots)
		return -1;
	const struct record_slot *slot = record_slot(record, cpu);
	uint64_t end_ns = timeline_end_ns(record);
	if (!slot->onset_ns || slot->end_ns || end_ns < slot->onset_ns)
		return -1;
	/*
	 * A CPU that went idle right after a stall sees its end only with its next interrupt. The last look
	 * may also be later than the trigger: ticks go on until the panic stops them.
	 */
	if (end_ns > slot->last_ns && end_ns - slot->last_ns > record->header->sample_interval_ns)
		return -1;
	return (end_ns - slot->onset_ns) / 1e9;
}

size_t verdict_interrupted_frame(struct kernel *kernel, const struct stack *stack)
{
	const struct frame *frames = stack->frames.data;
	size_t first = 0;

	for (size_t i = 1; i < stack->frames.count && frames[i].section != SECTION_USER; i++) {
		if ((frames[first].section != SECTION_IRQ &&
		     frames[first].section != SECTION_NMI) ||
		    kernel_runs_softirqs(kernel, &frames[i - 1]))
			break;
		if (frames[i].interrupted)
			first = i;
	}
	return first;
}

const char *verdict_what_holder_does(const struct lock *lock, bool certain)
{
	if (lock->type == LOCK_IPI)
		return "owes";
	if (lock->ends)
		return certain ? "is to end" : "seems to delay";
	return certain ? "holds" : "seems to hold";
}

/* Who waits for the culprit, which may be stuck with a lock held. */
static void add_victims(struct verdict *verdict, const struct verdict_input *input)
{
	char what[LOCK_TEXT_SIZE];

	for (size_t i = 0; i < input->locks->list.count; i++) {
		const struct lock *lock = &input->locks->list.data[i];
		for (size_t j = 0; lock != verdict->lock && j < lock->holders.count; j++) {
			const struct lock_holder *holder = &lock->holders.data[j];
			if (input->tasks->list.data[holder->task].pid != verdict->task.pid ||
			    !lock->waiters.count)
				continue;
			lock_describe(lock, what, sizeof(what));
			verdict_add_evidence(verdict, "%zu %s%s for %s, which it %s%s%s",
					     lock->waiters.count, lock->spinning ? "CPU" : "task",
					     lock->waiters.count == 1 ? " waits" : "s wait", what,
					     verdict_what_holder_does(lock, holder->certain),
					     holder->why ? ": " : "",
					     holder->why ? holder->why : "");
		}
	}
}

void verdict_init(struct verdict *verdict, const struct verdict_input *input)
{
	memset(verdict, 0, sizeof(*verdict));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i](verdict, input)) {
			if (verdict->has_task && verdict->task.pid && !verdict->cycle.count)
				add_victims(verdict, input);
			return;
		}
	}
	memset(verdict, 0, sizeof(*verdict));
	verdict->kind = "none";
	verdict->cpu = -1;
	verdict->stuck_s = -1;
	snprintf(verdict->title, sizeof(verdict->title), "%s",
		 input->machine->panic ? input->machine->panic : "no hang found");
	snprintf(verdict->signature, sizeof(verdict->signature), "none-00000000");
	bool complete = dump_is_complete(input->kernel->dump);
	verdict->confidence = complete ? 0.5 : 0;
	snprintf(
		verdict->summary, sizeof(verdict->summary), "%s",
		complete
			? "No CPU is known to have hung: neither the flight record nor the run queues nor "
			  "the kernel's log say so."
			: "The dump is incomplete: what can be read of it does not tell whether a CPU hung.");
}
