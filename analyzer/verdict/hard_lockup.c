// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that takes no interrupts, for nobody else's sake: its timers are long
 * overdue, and so is the tick that the recorder looks by. It is in code that
 * turned interrupts off, or in an interrupt or an NMI that does not end.
 */
#include <stdio.h>

#include "verdict/verdict.h"

#define CONFIDENCE	    0.9
#define CONFIDENCE_NO_PLACE 0.6

bool rule_hard_lockup(struct verdict *verdict, const struct verdict_input *input)
{
	struct stuck_cpu stuck;
	const struct task *task;
	size_t first = 0;

	if (!verdict_stuck_cpu(input, &stuck) || !stuck.deaf ||
	    !(task = verdict_current(input, stuck.number)))
		return false;
	verdict->kind = "hard-lockup";
	/* The detector's own NMI, which panics, is not what hangs. */
	if (input->machine->panic_cpu == (int32_t)stuck.number)
		first = verdict_interrupted_frame(input->kernel, &task->stack);
	verdict_blame(verdict, input, task,
		      locks_running_frame(input->kernel, &task->stack, first));
	verdict->cpu = stuck.number;
	verdict->stuck_s = stuck.seconds;
	verdict->confidence = verdict->function ? CONFIDENCE : CONFIDENCE_NO_PLACE;
	verdict_add_stuck(verdict, &stuck);
	const char *function = verdict->function ? verdict->function : "unknown code";
	snprintf(verdict->title, sizeof(verdict->title), "BUG: hard lockup in %s", function);
	snprintf(verdict->summary, sizeof(verdict->summary),
		 "CPU %u took no interrupts for %.1f s: %s (pid %u) is in %s%s%s%s.", stuck.number,
		 stuck.seconds, task->comm, task->pid, function, verdict->module ? " [" : "",
		 verdict->module ? verdict->module : "", verdict->module ? "]" : "");
	verdict_sign(verdict, input->kernel, &task->stack);
	return true;
}
