// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every clock stood still somewhere before the crash, and the more so the worse
 * the hang: a run queue's when its CPU last ticked, jiffies and the timekeeper
 * when the CPU that looks after them (tick_do_timer_cpu) last did. The newest
 * time stamp of sched_clock(), of all run queues and of the log, is the time of
 * the crash; the other clocks are put forward by at most as much as the run queue
 * of the timekeeping CPU, which its tick looks after together with them, was behind.
 * But a CPU that wakes up from idle looks after them too, so by less if
 * __gtod_offset (kernel/sched/clock.c) says so: sched_clock() minus CLOCK_MONOTONIC,
 * which the clock source's watchdog measures every now and then.
 */
#include "state/clocks.h"

#include <string.h>

/* Nothing that was logged later than that after the last tick of all CPUs is believed. */
#define MAX_SILENCE_NS (24 * 3600 * SECOND_NS)

static void read_run_queues(struct clocks *clocks, struct kernel *kernel, const struct cpus *cpus)
{
	struct member clock, task_clock;
	const struct member_wanted wanted[] = {
		{ "rq", "clock", &clock },
		{ "rq", "clock_task", &task_clock },
	};
	struct error *err = types_resolve(kernel->symbols.types, wanted, 2);
	bool known = !err && kernel->symbols.at[KSYM_runqueues];

	error_destroy(err);
	for (size_t i = 0; i < cpus->list.count; i++) {
		struct run_queue_clock *place = vector_push(&clocks->run_queues);
		if (!place)
			return;
		*place = (struct run_queue_clock){ CLOCK_UNKNOWN, CLOCK_UNKNOWN };
		if (!known)
			continue;
		uint64_t rq = kernel->symbols.at[KSYM_runqueues] + cpus->list.data[i].per_cpu;
		struct run_queue_clock read;
		err = member_read(&kernel->memory, rq, &clock, &read.ns);
		if (!err)
			err = member_read(&kernel->memory, rq, &task_clock, &read.task_ns);
		if (!err)
			*place = read;
		error_destroy(err);
	}
}

/* The newest time stamp of sched_clock(). */
static uint64_t newest(const struct clocks *clocks, const struct cpus *cpus,
		       const struct dmesg *dmesg)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < clocks->run_queues.count; i++) {
		uint64_t ns = clocks->run_queues.data[i].ns;
		if (cpus->list.data[i].online && ns != CLOCK_UNKNOWN && ns > ret)
			ret = ns;
	}
	if (dmesg->lines.count) {
		uint64_t logged = dmesg->lines.data[dmesg->lines.count - 1].t_ns;
		if (logged > ret && (!ret || logged - ret < MAX_SILENCE_NS))
			ret = logged;
	}
	return ret ? ret : CLOCK_UNKNOWN;
}

/* How far the run queue of the timekeeping CPU was behind at the crash. */
static uint64_t tick_is_behind(const struct clocks *clocks, struct kernel *kernel,
			       const struct cpus *cpus)
{
	uint64_t number, last = 0;
	struct error *err =
		kernel_variable(kernel, KSYM_tick_do_timer_cpu, sizeof(uint32_t), &number);

	/* With no CPU that has the duty, all idle: whichever ticked last. */
	if (err)
		number = UINT64_MAX;
	error_destroy(err);
	for (size_t i = 0; i < clocks->run_queues.count; i++) {
		uint64_t ns = clocks->run_queues.data[i].ns;
		if (ns == CLOCK_UNKNOWN || !cpus->list.data[i].online)
			continue;
		if (cpus->list.data[i].number == number) {
			last = ns;
			break;
		}
		if (ns > last)
			last = ns;
	}
	return last && clocks->now_ns != CLOCK_UNKNOWN && clocks->now_ns > last
		       ? clocks->now_ns - last
		       : 0;
}

/*
 * The timekeeper: up to 6.12 its copy "shadow_timekeeper", since 6.13 (a member
 * of struct tk_data) in tk_core, which since 6.17 is the first of timekeeper_data.
 */
static struct error *find_timekeeper(struct kernel *kernel, uint64_t *ret)
{
	struct member timekeeper;
	uint64_t core = kernel->symbols.at[KSYM_timekeeper_data];

	if (!core)
		core = kernel->symbols.at[KSYM_tk_core];
	struct error *err =
		types_resolve(kernel->symbols.types,
			      &(struct member_wanted){ "tk_data", "timekeeper", &timekeeper }, 1);
	if (err || !core) {
		error_destroy(err);
		return symbols_address(&kernel->symbols, KSYM_shadow_timekeeper, ret);
	}
	*ret = core + timekeeper.offset;
	return NULL;
}

static struct error *read_timekeeper(struct kernel *kernel, uint64_t *monotonic_ret,
				     uint64_t *boottime_ret)
{
	enum { SECONDS, TO_MONOTONIC, TO_MONOTONIC_NS, TO_BOOT, FRACTION, SHIFT, NR };
	struct member members[NR];
	const struct member_wanted wanted[NR] = {
		{ "timekeeper", "xtime_sec", &members[SECONDS] },
		{ "timekeeper", "wall_to_monotonic.tv_sec", &members[TO_MONOTONIC] },
		{ "timekeeper", "wall_to_monotonic.tv_nsec", &members[TO_MONOTONIC_NS] },
		{ "timekeeper", "offs_boot", &members[TO_BOOT] },
		{ "timekeeper", "tkr_mono.xtime_nsec", &members[FRACTION] },
		{ "timekeeper", "tkr_mono.shift", &members[SHIFT] },
	};
	uint64_t tk, values[NR];

	struct error *err = types_resolve(kernel->symbols.types, wanted, NR);
	if (!err)
		err = find_timekeeper(kernel, &tk);
	for (size_t i = 0; !err && i < NR; i++)
		err = member_read(&kernel->memory, tk, &members[i], &values[i]);
	if (err)
		return err;
	*monotonic_ret = (values[SECONDS] + values[TO_MONOTONIC]) * SECOND_NS +
			 values[TO_MONOTONIC_NS] +
			 (values[SHIFT] < 64 ? values[FRACTION] >> values[SHIFT] : 0);
	*boottime_ret = *monotonic_ret + values[TO_BOOT];
	return NULL;
}

/* TICK_NSEC is a constant; the clock source "jiffies" counts by it: kernel/time/jiffies.c. */
static struct error *read_jiffy_ns(struct kernel *kernel, uint64_t *ret)
{
	struct member mult_member, shift_member;
	const struct member_wanted wanted[] = {
		{ "clocksource", "mult", &mult_member },
		{ "clocksource", "shift", &shift_member },
	};
	uint64_t source, mult = 0, shift = 0;

	struct error *err = types_resolve(kernel->symbols.types, wanted, 2);
	if (!err)
		err = symbols_address(&kernel->symbols, KSYM_clocksource_jiffies, &source);
	if (!err)
		err = member_read(&kernel->memory, source, &mult_member, &mult);
	if (!err)
		err = member_read(&kernel->memory, source, &shift_member, &shift);
	if (!err && (shift >= 64 || !(mult >> shift)))
		err = error_fault(ERROR_CORRUPT, source, "a jiffy of no time");
	if (!err)
		*ret = mult >> shift;
	return err;
}

static void read_jiffies(struct clocks *clocks, struct kernel *kernel, uint64_t behind_ns)
{
	struct error *err = read_jiffy_ns(kernel, &clocks->jiffy_ns);

	if (!err)
		err = kernel_variable(kernel, KSYM_jiffies_64, sizeof(uint64_t), &clocks->jiffies);
	if (err)
		clocks->jiffies = clocks->jiffy_ns = CLOCK_UNKNOWN;
	else
		clocks->jiffies += behind_ns / clocks->jiffy_ns;
	error_destroy(err);
}

/* How far the timekeeper, which says that it is @monotonic_ns, was behind; not more than @most. */
static uint64_t timekeeper_is_behind(const struct clocks *clocks, struct kernel *kernel,
				     uint64_t monotonic_ns, uint64_t most)
{
	uint64_t offset;
	struct error *err = kernel_variable(kernel, KSYM___gtod_offset, sizeof(offset), &offset);

	if (!err && clocks->now_ns != CLOCK_UNKNOWN) {
		int64_t behind = clocks->now_ns - offset - monotonic_ns;
		if (behind < 0)
			most = 0;
		else if ((uint64_t)behind < most)
			most = behind;
	}
	error_destroy(err);
	return most;
}

void clocks_init(struct clocks *clocks, struct kernel *kernel, const struct cpus *cpus,
		 const struct dmesg *dmesg)
{
	memset(clocks, 0, sizeof(*clocks));
	read_run_queues(clocks, kernel, cpus);
	clocks->now_ns = newest(clocks, cpus, dmesg);
	uint64_t behind = tick_is_behind(clocks, kernel, cpus);

	struct error *err = read_timekeeper(kernel, &clocks->monotonic_ns, &clocks->boottime_ns);
	if (err) {
		clocks->monotonic_ns = clocks->boottime_ns = CLOCK_UNKNOWN;
	} else {
		behind = timekeeper_is_behind(clocks, kernel, clocks->monotonic_ns, behind);
		clocks->monotonic_ns += behind;
		clocks->boottime_ns += behind;
	}
	error_destroy(err);
	read_jiffies(clocks, kernel, behind);
}

void clocks_deinit(struct clocks *clocks)
{
	vector_deinit(&clocks->run_queues);
}

uint64_t clocks_since(const struct clocks *clocks, uint64_t then_ns)
{
	if (clocks->now_ns == CLOCK_UNKNOWN || then_ns == CLOCK_UNKNOWN)
		return CLOCK_UNKNOWN;
	return then_ns < clocks->now_ns ? clocks->now_ns - then_ns : 0;
}

uint64_t clocks_since_task_clock(const struct clocks *clocks, size_t index, uint64_t then_ns)
{
	if (index >= clocks->run_queues.count)
		return CLOCK_UNKNOWN;
	const struct run_queue_clock *clock = &clocks->run_queues.data[index];
	uint64_t behind = clocks_since(clocks, clock->ns);
	if (behind == CLOCK_UNKNOWN || then_ns == CLOCK_UNKNOWN)
		return CLOCK_UNKNOWN;
	return behind + (then_ns < clock->task_ns ? clock->task_ns - then_ns : 0);
}

uint64_t clocks_since_jiffies(const struct clocks *clocks, uint64_t jiffies)
{
	if (clocks->jiffies == CLOCK_UNKNOWN)
		return CLOCK_UNKNOWN;
	int64_t since = clocks->jiffies - jiffies;
	uint64_t ns;

	if (since <= 0)
		return 0;
	return __builtin_mul_overflow((uint64_t)since, clocks->jiffy_ns, &ns) ? CLOCK_UNKNOWN : ns;
}
