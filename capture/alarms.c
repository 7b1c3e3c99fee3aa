// SPDX-License-Identifier: GPL-2.0-only
#include "capture/alarms.h"

#include "state/stall.h"

static struct cause_wanted wanted_of(const struct watch *watch)
{
	struct cause_wanted wanted = { .silent_ns = watch->recorder.silent_ns };

	for (uint32_t kind = RECORD_KIND_HARD_LOCKUP; kind < RECORD_NR_KINDS; kind++) {
		wanted.after_ns[kind] = watch->options->threshold_for.ns[kind];
		if (wanted.after_ns[kind] != THRESHOLD_NEVER)
			wanted.kinds |= 1U << kind;
	}
	return wanted;
}

bool alarms_are_due(const struct watch *watch, uint64_t now)
{
	const struct cause_wanted wanted = wanted_of(watch);
	struct cause cause;

	for (uint32_t cpu = 0; cpu < watch->recorder.nr_cpus; cpu++) {
		const struct record_slot *slot = recorder_slot(&watch->recorder, cpu);
		if (slot->last_event != watch->shared->taken[cpu].event ||
		    cause_find(slot, cpu, &wanted, now, &cause))
			return true;
	}
	return false;
}

static bool is_same(const struct cause *a, const struct cause *b)
{
	return a->kind == b->kind && (cause_is_machines(a->kind) || a->cpu == b->cpu);
}

/* A new place; that of one that is over, if there is no other. NULL: all of them are on. */
static struct alarm *add(struct alarms *alarms)
{
	if (alarms->count < ALARMS_MAX)
		return &alarms->list[alarms->count++];
	for (size_t i = 0; i < ALARMS_MAX; i++)
		if (alarms->list[i].state == ALARM_OLD)
			return &alarms->list[i];
	return NULL;
}

static struct alarm *find(struct alarms *alarms, const struct cause *cause)
{
	for (size_t i = 0; i < alarms->count; i++)
		if (is_same(&alarms->list[i].cause, cause))
			return &alarms->list[i];
	return NULL;
}

/* Several CPUs may have seen the same, not all from the same time on. */
static void extend(struct cause *mine, const struct cause *cause)
{
	if (cause->onset_ns < mine->onset_ns)
		mine->onset_ns = cause->onset_ns;
	if (cause->last_ns > mine->last_ns)
		mine->last_ns = cause->last_ns;
	mine->lasted_ns = mine->last_ns - mine->onset_ns;
}

struct look {
	struct alarms *alarms;
	const struct watch *watch;
	bool over; /* what is found now has ended */
};

/* Asked to leave a CPU that is stalled: the stall has an incident, and says all. */
static bool is_part_of_stall(const struct watch *watch, const struct cause *cause)
{
	struct stall stall;

	if (cause->kind != RECORD_KIND_NEED_RESCHED)
		return false;
	stall_read(recorder_slot(&watch->recorder, cause->cpu), cause->cpu, &stall);
	return stall_is_lockup(&stall, watch->options->threshold_ns);
}

static bool take_up(const struct cause *cause, void *arg)
{
	const struct look *look = arg;
	struct alarm *alarm = find(look->alarms, cause);

	if (is_part_of_stall(look->watch, cause))
		return true;
	if (alarm && cause->onset_ns <= alarm->cause.last_ns) {
		extend(&alarm->cause, cause);
		return true;
	}
	/* It ended and began again while nobody looked: nobody needs to know. */
	if (alarm && alarm->state == ALARM_ON && !look->over) {
		alarm->cause = *cause;
		return true;
	}
	if (!alarm)
		alarm = add(look->alarms);
	if (alarm)
		*alarm = (struct alarm){ .cause = *cause, .over = look->over };
	return true;
}

static bool any_is(const struct alarms *alarms, enum alarm_state state)
{
	for (size_t i = 0; i < alarms->count; i++)
		if (alarms->list[i].state == state)
			return true;
	return false;
}

bool alarms_look(struct alarms *alarms, const struct watch *watch, uint64_t now)
{
	const struct cause_wanted wanted = wanted_of(watch);
	struct look look = { .alarms = alarms, .watch = watch };

	for (uint32_t cpu = 0; cpu < watch->recorder.nr_cpus; cpu++) {
		const struct record_slot *slot = recorder_slot(&watch->recorder, cpu);
		look.over = false;
		cause_each(slot, cpu, &wanted, now, take_up, &look);
		look.over = true;
		watch->shared->taken[cpu].event = cause_each_ended(
			slot, cpu, &wanted, watch->shared->taken[cpu].event, take_up, &look);
	}
	return any_is(alarms, ALARM_NEW);
}

bool alarms_settle(struct alarms *alarms, uint64_t now)
{
	for (size_t i = 0; i < alarms->count; i++) {
		struct alarm *alarm = &alarms->list[i];
		if (alarm->state == ALARM_NEW)
			alarm->state = ALARM_ON;
		if (alarm->state == ALARM_ON &&
		    (alarm->over || now >= alarm->cause.last_ns + CAUSE_FRESH_NS))
			alarm->state = ALARM_OVER;
	}
	return any_is(alarms, ALARM_ON);
}
