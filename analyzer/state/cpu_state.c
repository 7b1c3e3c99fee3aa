// SPDX-License-Identifier: GPL-2.0-only
#include "state/cpu_state.h"

#include <string.h>

#include "state/cpu_counters.h"
#include "state/timers.h"

/* No health lets a CPU go that long without a switch to a task that has to run. */
#define STUCK_NS (10 * SECOND_NS)
#define DEAF_NS	 (4 * SECOND_NS)

#define MAX_RT_PRIO		 100 /* include/linux/sched/prio.h */
#define RCU_SEQ_STATE_MASK	 3 /* kernel/rcu/rcu.h: 0 between grace periods */
#define WATCHDOG_SOFTLOCKUP	 2 /* in watchdog_enabled: include/linux/nmi.h */
#define WATCHDOG_MAX_THRESH	 60 /* kernel/watchdog.c */
#define WATCHDOG_TIMESTAMP_SHIFT 30 /* get_timestamp() there: about seconds */

const struct cpu_state cpu_state_unknown = {
	.running_ns = CLOCK_UNKNOWN,
	.stuck_ns = CLOCK_UNKNOWN,
	.watchdog_scheduled_ns = CLOCK_UNKNOWN,
	.watchdog_report_ns = CLOCK_UNKNOWN,
	.timer_late_ns = CLOCK_UNKNOWN,
	.hrtimer_late_ns = CLOCK_UNKNOWN,
};

struct reader {
	struct cpu_states *states;
	struct kernel *kernel;
	const struct cpus *cpus;
	const struct tasks *tasks;
	const struct clocks *clocks;
	struct cpu_counters_layout counters;
	struct timers_layout timers;
	struct member gp_seq, gp_start, mynode, grpmask, qsmask;
};

/* --- RCU ----------------------------------------------------------------- */

/*
 * The grace period goes on while a leaf of rcu_state's tree has a bit set in
 * qsmask: that of a CPU which has not passed a quiescent state (kernel/rcu/tree.h).
 */
static void read_grace_period(struct reader *reader)
{
	const struct types *types = reader->kernel->symbols.types;
	const struct member_wanted wanted[] = {
		{ "rcu_state", "gp_seq", &reader->gp_seq },
		{ "rcu_state", "gp_start", &reader->gp_start },
		{ "rcu_data", "mynode", &reader->mynode },
		{ "rcu_data", "grpmask", &reader->grpmask },
		{ "rcu_node", "qsmask", &reader->qsmask },
	};
	struct memory *memory = &reader->kernel->memory;
	uint64_t state, seq, start;

	reader->states->grace_period_ns = CLOCK_UNKNOWN;
	struct error *err = types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err)
		err = symbols_address(&reader->kernel->symbols, KSYM_rcu_state, &state);
	if (!err)
		err = member_read(memory, state, &reader->gp_seq, &seq);
	if (!err)
		err = member_read(memory, state, &reader->gp_start, &start);
	if (!err && seq & RCU_SEQ_STATE_MASK)
		reader->states->grace_period_ns = clocks_since_jiffies(reader->clocks, start);
	error_destroy(err);
}

static bool holds_up_rcu(const struct reader *reader, const struct cpu *cpu)
{
	struct memory *memory = &reader->kernel->memory;
	uint64_t data, node, mask, waited_for = 0;

	if (reader->states->grace_period_ns == CLOCK_UNKNOWN)
		return false;
	struct error *err = symbols_address(&reader->kernel->symbols, KSYM_rcu_data, &data);
	if (!err)
		err = member_read(memory, data + cpu->per_cpu, &reader->mynode, &node);
	if (!err)
		err = member_read(memory, data + cpu->per_cpu, &reader->grpmask, &mask);
	if (!err)
		err = member_read(memory, node, &reader->qsmask, &waited_for);
	if (err) {
		error_destroy(err);
		return false;
	}
	return waited_for & mask;
}

/* --- the watchdog -------------------------------------------------------- */

static void read_watchdog(struct reader *reader)
{
	uint64_t thresh, enabled;
	struct error *err =
		kernel_variable(reader->kernel, KSYM_watchdog_thresh, sizeof(uint32_t), &thresh);

	reader->states->watchdog_thresh_s =
		err || thresh > WATCHDOG_MAX_THRESH ? CLOCK_UNKNOWN : thresh;
	error_destroy(err);
	err = kernel_variable(reader->kernel, KSYM_watchdog_enabled, sizeof(uint64_t), &enabled);
	if (!err && !(enabled & WATCHDOG_SOFTLOCKUP))
		reader->states->watchdog_thresh_s = 0;
	error_destroy(err);
}

/*
 * watchdog_touch_ts is when the watchdog's own job, of the highest class, ran
 * last; watchdog_report_ts, since 5.13, when it began to count
 * until it reports. ULONG_MAX stands in the one that counts, and 0 did before
 * 5.13, if somebody asked it to look away.
 */
static uint64_t watchdog_stamp(const struct reader *reader, enum ksym_id ksym,
			       const struct cpu *cpu)
{
	uint64_t address, stamp, ns;
	struct error *err = symbols_address(&reader->kernel->symbols, ksym, &address);

	if (!err)
		err = memory_read_u64(&reader->kernel->memory, address + cpu->per_cpu, &stamp);
	if (err || !stamp || __builtin_mul_overflow(stamp, 1ull << WATCHDOG_TIMESTAMP_SHIFT, &ns))
		ns = CLOCK_UNKNOWN;
	error_destroy(err);
	return clocks_since(reader->clocks, ns);
}

/* --- who runs, who waits ------------------------------------------------- */

static bool must_give_way(const struct task *running, const struct task *waiting)
{
	int16_t now = running->scheduling.priority, then = waiting->scheduling.priority;

	if (waiting->scheduling.throttled)
		return false;
	/* Tasks that are not real time share the CPU, and even the least of them gets some of it. */
	return !running->pid || now >= MAX_RT_PRIO || then < now;
}

/*
 * A CPU is stuck when the watchdog's job, which goes before all others, has not
 * run for much longer than it should, or when a task waits to which it should
 * have switched long ago; and when its task has not been switched meanwhile.
 */
static uint64_t stuck_ns(const struct reader *reader, const struct cpu_state *state,
			 const struct task *current)
{
	uint64_t thresh_s = reader->states->watchdog_thresh_s, limit = STUCK_NS, stuck = 0;

	if (!current || (state->running_ns != CLOCK_UNKNOWN && state->running_ns < STUCK_NS))
		return CLOCK_UNKNOWN;
	for (size_t i = 0; i < state->waiting.count; i++) {
		const struct task *waiting = state->waiting.data[i];
		if (waiting->wait_ns != CLOCK_UNKNOWN && waiting->wait_ns > stuck &&
		    must_give_way(current, waiting))
			stuck = waiting->wait_ns;
	}
	/* The job is due every fifth of the 2 * watchdog_thresh after which it reports. */
	if (current->pid && thresh_s != CLOCK_UNKNOWN && thresh_s &&
	    state->watchdog_scheduled_ns != CLOCK_UNKNOWN) {
		if (2 * thresh_s * SECOND_NS > limit)
			limit = 2 * thresh_s * SECOND_NS;
		if (state->watchdog_scheduled_ns >= limit && state->watchdog_scheduled_ns > stuck)
			stuck = state->watchdog_scheduled_ns;
	}
	if (stuck < STUCK_NS)
		return CLOCK_UNKNOWN;
	return state->running_ns != CLOCK_UNKNOWN ? state->running_ns : stuck;
}

uint64_t cpu_state_deaf_ns(const struct cpu_state *state)
{
	bool busy = state->running_ns != CLOCK_UNKNOWN && state->running_ns >= DEAF_NS;

	return busy && !state->panicked && state->hrtimer_late_ns != CLOCK_UNKNOWN &&
			       state->hrtimer_late_ns >= DEAF_NS
		       ? state->hrtimer_late_ns
		       : CLOCK_UNKNOWN;
}

static int compare_waiting(const void *a, const void *b)
{
	const struct task *const *x = a, *const *y = b;
	int16_t p = (*x)->scheduling.priority, q = (*y)->scheduling.priority;

	if (p != q)
		return p < q ? -1 : 1;
	if ((*x)->wait_ns != (*y)->wait_ns)
		return (*x)->wait_ns > (*y)->wait_ns ? -1 : 1;
	return 0;
}

/*
 * What waits on a run queue are the tasks that are on it and do not run. So each
 * class is read alike, by the tasks, whatever trees and lists it keeps them in.
 */
static void sort_waiting(struct reader *reader)
{
	const struct tasks *tasks = reader->tasks;
	struct cpu_states *states = reader->states;

	for (size_t i = 0; i < tasks->list.count; i++) {
		const struct task *task = &tasks->list.data[i];
		if (!task->scheduling.queued || task->running || !task->pid)
			continue;
		const struct cpu *cpu = cpus_find(reader->cpus, task->cpu);
		if (!cpu || (size_t)(cpu - reader->cpus->list.data) >= states->list.count)
			continue;
		struct cpu_state *state = &states->list.data[cpu - reader->cpus->list.data];
		const struct task **place = vector_push(&state->waiting);
		if (place)
			*place = task;
	}
	for (size_t i = 0; i < states->list.count; i++) {
		struct cpu_state *state = &states->list.data[i];
		if (state->waiting.count)
			qsort(state->waiting.data, state->waiting.count,
			      sizeof(*state->waiting.data), compare_waiting);
	}
}

static bool has_panicked(const struct reader *reader, const struct cpu *cpu)
{
	const struct task *task = tasks_on_cpu(reader->tasks, cpu);
	uint64_t number;
	struct error *err =
		kernel_variable(reader->kernel, KSYM_panic_cpu, sizeof(uint32_t), &number);
	bool panics = !err && number == cpu->number;

	error_destroy(err);
	/* What panics in an NMI is what sees that the CPU takes no interrupts: watchdog_overflow_callback(). */
	return panics && !(task && task->stack.frames.count &&
			   task->stack.frames.data[0].section == SECTION_NMI);
}

static void read_state(struct reader *reader, const struct cpu *cpu, struct cpu_state *state)
{
	const struct task *current = tasks_find(reader->tasks, cpu->current);

	if (current && current->pid && current->scheduling.arrived_ns)
		state->running_ns = clocks_since(reader->clocks, current->scheduling.arrived_ns);
	cpu_counters_read(reader->kernel, &reader->counters, cpu, state);
	timers_read(reader->kernel, &reader->timers, reader->clocks, cpu, &state->timer_late_ns,
		    &state->hrtimer_late_ns);
	state->watchdog_scheduled_ns = watchdog_stamp(reader, KSYM_watchdog_touch_ts, cpu);
	state->watchdog_report_ns = watchdog_stamp(reader, KSYM_watchdog_report_ts, cpu);
	state->panicked = has_panicked(reader, cpu);
	state->holds_up_rcu = holds_up_rcu(reader, cpu);
	state->stuck_ns = stuck_ns(reader, state, current);
}

void cpu_states_init(struct cpu_states *states, struct kernel *kernel, const struct cpus *cpus,
		     const struct tasks *tasks, const struct clocks *clocks)
{
	struct reader reader = { states, kernel, cpus, tasks, clocks };

	memset(states, 0, sizeof(*states));
	cpu_counters_resolve(kernel, &reader.counters);
	timers_resolve(kernel, &reader.timers);
	read_watchdog(&reader);
	read_grace_period(&reader);
	for (size_t i = 0; i < cpus->list.count; i++) {
		struct cpu_state *state = vector_push(&states->list);
		if (!state)
			break;
		*state = cpu_state_unknown;
	}
	sort_waiting(&reader);
	for (size_t i = 0; i < states->list.count; i++)
		if (cpus->list.data[i].online)
			read_state(&reader, &cpus->list.data[i], &states->list.data[i]);
}

void cpu_states_deinit(struct cpu_states *states)
{
	for (size_t i = 0; i < states->list.count; i++)
		vector_deinit(&states->list.data[i].waiting);
	vector_deinit(&states->list);
}
