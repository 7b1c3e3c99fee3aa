// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that sleeps without being interruptible, for longer than the kernel's
 * own detector allows by default, or of which that detector has spoken
 * (kernel/hung_task.c). To blame is whoever holds, in the end, what it waits for.
 */
#include <stdio.h>
#include <string.h>

#include "verdict/verdict.h"

#define HUNG_NS 120000000000ull /* CONFIG_DEFAULT_HUNG_TASK_TIMEOUT */

/* So many of the kernel's lines are looked at: it stops at 10 by default (hung_task_warnings). */
#define MAX_LINES 64

#define CONFIDENCE_HOLDER  0.85
#define CONFIDENCE_SUSPECT 0.6
#define CONFIDENCE_ALONE   0.6 /* it hangs, but nobody is known to keep it */

struct hung {
	const struct task *task;
	double seconds; /* below 0: unknown */
	const char *line; /* the kernel's, or NULL */
};

/* "INFO: task COMM:PID blocked for more than N seconds."; a comm may have a colon too. */
static bool hung_line(const char *text, uint32_t *pid_ret, uint32_t *seconds_ret)
{
	const char *found = strstr(text, "INFO: task "), *blocked, *colon = NULL;

	if (!found || !(blocked = strstr(found, " blocked for more than ")))
		return false;
	for (const char *s = found; s < blocked; s++)
		if (*s == ':')
			colon = s;
	return colon &&
	       sscanf(colon, ":%u blocked for more than %u seconds", pid_ret, seconds_ret) == 2;
}

static const struct task *blocked_task(const struct verdict_input *input, uint32_t pid)
{
	for (size_t i = 0; pid && i < input->tasks->list.count; i++) {
		const struct task *task = &input->tasks->list.data[i];
		if (task->pid == pid)
			return task->state == 'D' ? task : NULL;
	}
	return NULL;
}

/* The kernel's newest line of a task that still is blocked. */
static bool find_logged(const struct verdict_input *input, struct hung *ret)
{
	unsigned int left = MAX_LINES;

	for (size_t i = input->dmesg->lines.count; left && i--;) {
		const char *text = input->dmesg->lines.data[i].text;
		uint32_t pid, seconds;
		if (!hung_line(text, &pid, &seconds))
			continue;
		left--;
		const struct task *task = blocked_task(input, pid);
		if (!task)
			continue;
		*ret = (struct hung){ .task = task, .seconds = seconds, .line = text };
		return true;
	}
	return false;
}

/* The task that has been blocked for longest, and how many have been for too long. */
static bool find_longest(const struct verdict_input *input, struct hung *ret, size_t *count_ret)
{
	*count_ret = 0;
	for (size_t i = 0; i < input->tasks->list.count; i++) {
		const struct task *task = &input->tasks->list.data[i];
		if (task->state != 'D' || task->killable || task->wait_ns == CLOCK_UNKNOWN ||
		    task->wait_ns < HUNG_NS)
			continue;
		++*count_ret;
		if (!ret->task || task->wait_ns > ret->task->wait_ns)
			*ret = (struct hung){ .task = task, .seconds = task->wait_ns / 1e9 };
	}
	return *count_ret;
}

static void add_evidence(struct verdict *verdict, const struct verdict_input *input,
			 const struct hung *hung, size_t count)
{
	if (count)
		verdict_add_evidence(verdict, "%zu task%s been blocked for over %llu s", count,
				     count == 1 ? " has" : "s have", HUNG_NS / SECOND_NS);
	if (hung->line)
		verdict_add_evidence(verdict, "the kernel says: %s", hung->line);
	/* The chain, up to its head; where it goes in a circle there is none. */
	uint32_t place = verdict_place(input, hung->task);
	for (size_t i = 0; i < VERDICT_MAX_EVIDENCE; i++) {
		const struct lock *lock = locks_waited_for(input->locks, place);
		verdict_add_wait(verdict, input, place);
		if (!lock || !lock->holders.count)
			break;
		place = lock->holders.data[0].task;
	}
}

static void describe(struct verdict *verdict, const struct hung *hung, const struct task *culprit)
{
	const char *function = verdict->function ? verdict->function : "unknown code";

	snprintf(verdict->title, sizeof(verdict->title), "INFO: task hung in %s", function);
	if (culprit == hung->task)
		snprintf(verdict->summary, sizeof(verdict->summary),
			 "%s (pid %u) has been blocked for over %.0f s in %s.", hung->task->comm,
			 hung->task->pid, hung->seconds, function);
	else
		snprintf(verdict->summary, sizeof(verdict->summary),
			 "%s (pid %u) has been blocked for over %.0f s; in the end it waits for %s "
			 "(pid %u), which is in %s.",
			 hung->task->comm, hung->task->pid, hung->seconds, culprit->comm,
			 culprit->pid, function);
}

bool rule_hung_task(struct verdict *verdict, const struct verdict_input *input)
{
	struct hung hung = {}, logged = {};
	size_t steps, count;

	bool is_logged = find_logged(input, &logged);
	if (!find_longest(input, &hung, &count))
		hung = logged;
	else if (logged.task == hung.task)
		hung.line = logged.line;
	if (!count && !is_logged)
		return false;
	uint32_t place = verdict_place(input, hung.task);
	const struct task *culprit =
		&input->tasks->list.data[wait_graph_head(input->locks, place, &steps)];
	verdict->kind = "hung-task";
	verdict->lock = locks_waited_for(input->locks, place);
	verdict->stuck_s = hung.seconds;
	verdict_blame(verdict, input, culprit, locks_asking_frame(input->kernel, &culprit->stack));
	verdict->confidence = CONFIDENCE_ALONE;
	if (steps)
		verdict->confidence = verdict->lock->holders.data[0].certain ? CONFIDENCE_HOLDER
									     : CONFIDENCE_SUSPECT;
	add_evidence(verdict, input, &hung, count);
	describe(verdict, &hung, culprit);
	verdict_sign(verdict, input->kernel, &culprit->stack);
	return true;
}
