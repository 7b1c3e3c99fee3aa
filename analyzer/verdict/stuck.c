// SPDX-License-Identifier: GPL-2.0-only
/* Which CPU hung, by the flight record, by what the dump has of its run queue, or by the kernel's own watchdog. */
#include "verdict/verdict.h"

#include <stdio.h>
#include <string.h>

/*
 * The kernel repeats its line about every 20 s (twice watchdog_thresh) while a
 * lockup lasts: an older one is of a lockup that is over.
 */
#define LINE_IS_FRESH_NS 60000000000ull

/* With kernel.softlockup_panic: watchdog_timer_fn() of kernel/watchdog.c. */
#define WATCHDOG_PANIC "softlockup: "

const struct task *verdict_current(const struct verdict_input *input, uint32_t number)
{
	const struct cpu *cpu = cpus_find(input->cpus, number);

	return cpu ? tasks_find(input->tasks, cpu->current) : NULL;
}

const struct task *verdict_lost(const struct verdict_input *input, uint32_t number)
{
	const struct cpu *cpu = cpus_find(input->cpus, number);
	const struct task *task = cpu ? tasks_on_cpu(input->tasks, cpu) : NULL;

	return task && task != verdict_current(input, number) && task->stack.frames.count ? task
											  : NULL;
}

/* The CPU that the trigger named, else the one that is stuck for longest. */
static bool find_recorded(const struct record *record, struct stuck_cpu *ret)
{
	*ret = (struct stuck_cpu){ .seconds = -1, .recorded = true };
	if (!record)
		return false;
	if (record->header->fired_by != RECORD_FIRED_NONE) {
		ret->number = record->header->fired_cpu;
		ret->seconds = verdict_cpu_stuck_s(record, ret->number);
		if (ret->seconds >= 0)
			return true;
	}
	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		double stuck = verdict_cpu_stuck_s(record, cpu);
		if (stuck > ret->seconds && stuck * 1e9 >= record->header->threshold_ns)
			*ret = (struct stuck_cpu){ .number = cpu,
						   .seconds = stuck,
						   .recorded = true };
	}
	return ret->seconds >= 0;
}

double verdict_stuck_s(const struct record *record, const struct cpu_state *state, uint32_t cpu)
{
	uint64_t deaf_ns = state ? cpu_state_deaf_ns(state) : CLOCK_UNKNOWN;

	/* The recorder does not run there either. */
	if (deaf_ns != CLOCK_UNKNOWN)
		return deaf_ns / 1e9;
	if (record && cpu < record->header->nr_slots)
		return verdict_cpu_stuck_s(record, cpu);
	return state && state->stuck_ns != CLOCK_UNKNOWN ? state->stuck_ns / 1e9 : -1;
}

static const struct cpu_state *state_at(const struct verdict_input *input, size_t index)
{
	const struct cpu_states *states = input->cpu_states;

	return states && index < states->list.count ? &states->list.data[index] : NULL;
}

static bool is_deaf(const struct verdict_input *input, size_t index, struct stuck_cpu *ret)
{
	const struct cpu_state *state = state_at(input, index);
	uint64_t ns = state ? cpu_state_deaf_ns(state) : CLOCK_UNKNOWN;

	if (ns == CLOCK_UNKNOWN)
		return false;
	*ret = (struct stuck_cpu){ .number = input->cpus->list.data[index].number,
				   .seconds = ns / 1e9,
				   .deaf = true };
	return true;
}

bool verdict_is_deaf(const struct verdict_input *input, uint32_t number, struct stuck_cpu *ret)
{
	const struct cpu *cpu = cpus_find(input->cpus, number);

	return cpu && is_deaf(input, cpu - input->cpus->list.data, ret);
}

/* The CPU that has taken no interrupts for longest. */
static bool find_deaf(const struct verdict_input *input, struct stuck_cpu *ret)
{
	struct stuck_cpu cpu;

	*ret = (struct stuck_cpu){};
	for (size_t i = 0; i < input->cpus->list.count; i++)
		if (is_deaf(input, i, &cpu) && cpu.seconds > ret->seconds)
			*ret = cpu;
	return ret->deaf;
}

/* The CPU that is stuck for longest by its run queue and its watchdog; a record that covers it knows better. */
static bool find_seen(const struct verdict_input *input, struct stuck_cpu *ret)
{
	uint64_t longest = 0;

	for (size_t i = 0; input->cpu_states && i < input->cpu_states->list.count; i++) {
		uint64_t ns = input->cpu_states->list.data[i].stuck_ns;
		uint32_t number = input->cpus->list.data[i].number;
		if (ns == CLOCK_UNKNOWN || ns <= longest ||
		    (input->record && number < input->record->header->nr_slots))
			continue;
		longest = ns;
		*ret = (struct stuck_cpu){ .number = number, .seconds = ns / 1e9, .seen = true };
	}
	return longest;
}

/* Whether the CPU was still running the task that the watchdog speaks of. */
static bool is_still_there(const struct verdict_input *input, const struct watchdog_line *said)
{
	const struct task *task = verdict_current(input, said->cpu);
	const struct machine *machine = input->machine;

	if (task)
		return task->pid == said->pid;
	/* A task that is lost cannot be asked; but between that line and the watchdog's own panic nothing is switched. */
	return verdict_lost(input, said->cpu) && machine->panic &&
	       machine->panic_cpu == (int32_t)said->cpu &&
	       !strncmp(machine->panic, WATCHDOG_PANIC, strlen(WATCHDOG_PANIC));
}

/* The kernel's own watchdog: it counts if it spoke lately, of the task that the CPU was still running. */
static bool find_logged(const struct verdict_input *input, struct stuck_cpu *ret)
{
	const struct dmesg *dmesg = input->dmesg;
	struct watchdog_line said;

	for (size_t i = dmesg->lines.count; i--;) {
		const struct dmesg_line *line = &dmesg->lines.data[i];
		if (dmesg->lines.data[dmesg->lines.count - 1].t_ns - line->t_ns > LINE_IS_FRESH_NS)
			return false;
		if (!watchdog_line(line->text, &said))
			continue;
		/* A record that covers the CPU, and did not call it stuck, knows better. */
		if (!is_still_there(input, &said) ||
		    (input->record && said.cpu < input->record->header->nr_slots))
			continue;
		*ret = (struct stuck_cpu){ .number = said.cpu, .seconds = said.stuck_s };
		return true;
	}
	return false;
}

bool verdict_stuck_cpu(const struct verdict_input *input, struct stuck_cpu *ret)
{
	return find_recorded(input->record, ret) || find_deaf(input, ret) ||
	       find_seen(input, ret) || find_logged(input, ret);
}

static const struct lock *spins_for(const struct verdict_input *input, const struct task *task)
{
	const struct lock *lock = locks_waited_for(input->locks, verdict_place(input, task));

	return lock && lock->spinning ? lock : NULL;
}

static bool is_held_by(const struct lock *lock, uint32_t task)
{
	for (size_t i = 0; i < lock->holders.count; i++)
		if (lock->holders.data[i].task == task)
			return true;
	return false;
}

bool verdict_stuck_spinner(const struct verdict_input *input, bool for_answer,
			   struct stuck_cpu *ret, const struct task **waiter_ret)
{
	const struct task *hung;

	if (!verdict_stuck_cpu(input, ret) || !(hung = verdict_current(input, ret->number)))
		return false;
	const struct lock *lock = spins_for(input, hung);
	*waiter_ret = hung;
	if (lock)
		return (lock->type == LOCK_IPI) == for_answer;
	struct stuck_cpu longest = { .seconds = -1 };
	for (size_t i = 0; i < input->cpus->list.count; i++) {
		const struct cpu *cpu = &input->cpus->list.data[i];
		const struct task *task = tasks_find(input->tasks, cpu->current);
		double seconds = verdict_stuck_s(input->record, state_at(input, i), cpu->number);
		if (!task || seconds <= longest.seconds || !(lock = spins_for(input, task)) ||
		    (lock->type == LOCK_IPI) != for_answer ||
		    !is_held_by(lock, verdict_place(input, hung)))
			continue;
		*waiter_ret = task;
		/* In the order of verdict_stuck_s(), whose seconds these are. */
		if (is_deaf(input, i, &longest))
			continue;
		bool recorded = verdict_cpu_stuck_s(input->record, cpu->number) >= 0;
		longest = (struct stuck_cpu){ .number = cpu->number,
					      .seconds = seconds,
					      .recorded = recorded,
					      .seen = !recorded };
	}
	*ret = longest;
	return longest.seconds >= 0;
}

void verdict_add_stuck(struct verdict *verdict, const struct stuck_cpu *stuck)
{
	if (stuck->recorded)
		verdict_add_evidence(
			verdict,
			"CPU %u last switched tasks %.1f s before the crash (flight record)",
			stuck->number, stuck->seconds);
	else if (stuck->deaf)
		verdict_add_evidence(
			verdict,
			"CPU %u takes no interrupts: its timers are %.1f s late, though its task is not idle",
			stuck->number, stuck->seconds);
	else if (stuck->seen)
		verdict_add_evidence(
			verdict,
			"CPU %u has not switched tasks for %.1f s, though it should (its run queue)",
			stuck->number, stuck->seconds);
}

void verdict_call_lockup(struct verdict *verdict)
{
	snprintf(verdict->title, sizeof(verdict->title), "BUG: soft lockup in %s",
		 verdict->function ? verdict->function : "unknown code");
}

void verdict_add_watchdog(struct verdict *verdict, const struct dmesg *dmesg)
{
	struct watchdog_line said;

	for (size_t i = dmesg->lines.count; i--;) {
		if (watchdog_line(dmesg->lines.data[i].text, &said) &&
		    said.cpu == (uint32_t)verdict->cpu && said.pid == verdict->task.pid) {
			verdict_add_evidence(verdict, "the kernel's own watchdog says: %s",
					     dmesg->lines.data[i].text);
			return;
		}
	}
}
