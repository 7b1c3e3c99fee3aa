// SPDX-License-Identifier: GPL-2.0-only
/*
 * One CPU in kernel code that does not schedule. The function to blame is the
 * innermost one that was never left: going from the outermost frame inwards,
 * the last that the stack at the crash and every sample have in common.
 */
#include <stdio.h>
#include <string.h>

#include "verdict/verdict.h"

static uint64_t function_start(struct kernel *kernel, uint64_t pc, bool interrupted)
{
	return symbols_lookup(&kernel->symbols, pc - !interrupted).start;
}

/* How many of @stack's outermost kernel frames @pcs have too, function by function. */
static size_t common_frames(struct kernel *kernel, const struct frame *frames, size_t nr_frames,
			    const __u64 *pcs, size_t nr_pcs)
{
	size_t common = 0;

	while (common < nr_frames && common < nr_pcs) {
		const struct frame *frame = &frames[nr_frames - 1 - common];
		size_t at = nr_pcs - 1 - common;
		if (function_start(kernel, frame->pc, frame->interrupted) !=
		    function_start(kernel, pcs[at], at == 0))
			break;
		common++;
	}
	return common;
}

static size_t kernel_frames(const struct stack *stack)
{
	size_t count = stack->frames.count;

	return count && stack->frames.data[count - 1].section == SECTION_USER ? count - 1 : count;
}

/* Index of the innermost frame that all samples share, the interrupt of the crash apart; says in the evidence what was compared. */
static size_t blamed_frame(struct verdict *verdict, const struct verdict_input *input,
			   const struct stack *stack)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t nr_frames = kernel_frames(stack), common = nr_frames, agree = 0, torn;
	size_t first = verdict_interrupted_frame(input->kernel, stack);

	if (!input->record || (uint32_t)verdict->cpu >= input->record->header->nr_slots)
		return first;
	const struct record_slot *slot = record_slot(input->record, verdict->cpu);
	size_t count = record_samples(slot, samples, &torn);
	for (size_t i = 0; i < count; i++) {
		const __u64 *pcs;
		size_t nr_pcs = sample_stack(
			samples[i], samples[i]->regs[input->kernel->unwinder.arch->pc], &pcs);
		if (!nr_pcs)
			continue;
		size_t shared =
			common_frames(input->kernel, stack->frames.data, nr_frames, pcs, nr_pcs);
		/* A sample from before, of another call, says nothing of this loop. */
		if (!shared)
			continue;
		agree++;
		if (shared < common)
			common = shared;
	}
	if (count)
		verdict_add_evidence(
			verdict,
			"%zu of %zu samples, from %.1f s after the onset on, are in the "
			"same call as the stack at the crash",
			agree, count, (samples[0]->time_ns - samples[0]->onset_ns) / 1e9);
	if (torn)
		verdict_add_evidence(verdict, "%zu samples are torn and were left out", torn);
	verdict->confidence = count && agree == count ? 0.95 : 0.7;
	return nr_frames - common > first ? nr_frames - common : first;
}

static void blame_unleft(struct verdict *verdict, const struct verdict_input *input,
			 const struct stack *stack)
{
	size_t index = blamed_frame(verdict, input, stack);

	if (index >= stack->frames.count)
		return;
	const struct frame *frame = &stack->frames.data[index];
	struct symbol symbol =
		symbols_lookup(&input->kernel->symbols, frame->pc - !frame->interrupted);
	verdict->function = symbol.name;
	verdict->module = symbol.module ? symbol.module->name : NULL;
}

void verdict_blame_stuck(struct verdict *verdict, const struct verdict_input *input,
			 const struct task *task)
{
	if (task->running && verdict_cpu_stuck_s(input->record, task->cpu) >= 0)
		blame_unleft(verdict, input, &task->stack);
}

/* The newest whole sample of the stuck CPU, or NULL. */
static const struct record_sample *newest_sample(const struct verdict_input *input,
						 const struct stuck_cpu *stuck)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = 0;

	if (input->record && stuck->number < input->record->header->nr_slots)
		count = record_samples(record_slot(input->record, stuck->number), samples, &torn);
	return count ? samples[count - 1] : NULL;
}

struct culprit {
	struct verdict_task task;
	const struct stack *stack;
	struct stack sampled; /* for one that only the record has */
	const char *lost; /* what of it is not the dump's, or NULL */
};

static bool culprit_of_dump(const struct verdict_input *input, const struct stuck_cpu *stuck,
			    struct culprit *ret)
{
	const struct task *current = verdict_current(input, stuck->number);

	if (!current || !current->stack.frames.count)
		return false;
	ret->task = (struct verdict_task){ .pid = current->pid, .tgid = current->tgid };
	memcpy(ret->task.comm, current->comm, sizeof(ret->task.comm));
	ret->stack = &current->stack;
	return true;
}

static void take_sampled_stack(const struct verdict_input *input,
			       const struct record_sample *sample, struct culprit *ret)
{
	const __u64 *pcs;
	size_t count = sample_stack(sample, sample->regs[input->kernel->unwinder.arch->pc], &pcs);

	for (size_t i = 0; i < count; i++) {
		struct frame *frame = vector_push(&ret->sampled.frames);
		if (!frame)
			break;
		*frame = (struct frame){ .pc = pcs[i], .interrupted = !i, .reliable = true };
	}
	ret->stack = &ret->sampled;
}

/* What the dump has lost of the CPU, its record may still have: the task, and the stack of the last sample. */
static bool culprit_of_record(const struct verdict_input *input, const struct stuck_cpu *stuck,
			      struct culprit *ret)
{
	const struct record_sample *sample = newest_sample(input, stuck);
	const struct task *lost = verdict_lost(input, stuck->number);

	if (!sample)
		return false;
	ret->task = (struct verdict_task){ .pid = sample->pid, .tgid = sample->tgid };
	memcpy(ret->task.comm, sample->comm, sizeof(ret->task.comm));
	if (lost && lost->address == sample->task) {
		ret->stack = &lost->stack;
		ret->lost = "the dump has lost this CPU's task: the record names it";
	} else {
		take_sampled_stack(input, sample, ret);
		ret->lost = "the dump has lost this CPU's stack: it is the record's";
	}
	return true;
}

/* Or the task is in the line by which the CPU is known to be stuck. */
static bool culprit_of_log(const struct verdict_input *input, const struct stuck_cpu *stuck,
			   struct culprit *ret)
{
	const struct task *lost = verdict_lost(input, stuck->number);
	struct watchdog_line said;

	for (size_t i = lost ? input->dmesg->lines.count : 0; i--;) {
		if (!watchdog_line(input->dmesg->lines.data[i].text, &said) ||
		    said.cpu != stuck->number)
			continue;
		ret->task = (struct verdict_task){ .pid = said.pid, .tgid = said.pid };
		memcpy(ret->task.comm, said.comm, sizeof(ret->task.comm));
		ret->stack = &lost->stack;
		ret->lost = "the dump has lost this CPU's task: the kernel's log names it";
		return true;
	}
	return false;
}

static void describe(struct verdict *verdict)
{
	verdict_call_lockup(verdict);
	snprintf(
		verdict->summary, sizeof(verdict->summary),
		"CPU %d did not schedule for %.1f s: %s (pid %u) is in %s%s%s%s and does not leave it.",
		verdict->cpu, verdict->stuck_s, verdict->task.comm, verdict->task.pid,
		verdict->function ? verdict->function : "code without a name",
		verdict->module ? " [" : "", verdict->module ? verdict->module : "",
		verdict->module ? "]" : "");
}

bool rule_busy_loop(struct verdict *verdict, const struct verdict_input *input)
{
	struct culprit culprit = {};
	struct stuck_cpu stuck;

	if (!verdict_stuck_cpu(input, &stuck))
		return false;
	verdict->has_task = culprit_of_dump(input, &stuck, &culprit) ||
			    culprit_of_record(input, &stuck, &culprit) ||
			    culprit_of_log(input, &stuck, &culprit);
	if (!verdict->has_task)
		return false;
	verdict->kind = "busy-loop";
	verdict->task = culprit.task;
	verdict->cpu = stuck.number;
	verdict->stuck_s = stuck.seconds;
	verdict->confidence = 0.5;
	verdict_add_stuck(verdict, &stuck);
	if (culprit.lost)
		verdict_add_evidence(verdict, "%s", culprit.lost);
	blame_unleft(verdict, input, culprit.stack);
	verdict_add_watchdog(verdict, input->dmesg);
	describe(verdict);
	verdict_sign(verdict, input->kernel, culprit.stack);
	stack_deinit(&culprit.sampled);
	return true;
}
