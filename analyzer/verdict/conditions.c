// SPDX-License-Identifier: GPL-2.0-only
/* What the recorder saw to be wrong until the end, besides what the verdict is about: it speaks for it. */
#include "verdict/verdict.h"

/* Each CPU looks once a second: what it saw longer ago may be over. */
#define FRESH_NS 3000000000ull

double verdict_condition_s(const struct record *record, uint32_t cpu, enum record_kind kind)
{
	if (!record || cpu >= record->header->nr_slots)
		return -1;
	const struct record_condition *condition = &record_slot(record, cpu)->conditions[kind];
	uint64_t end_ns = timeline_end_ns(record);
	if (!condition->since_ns || !condition->last_ns || condition->since_ns > end_ns ||
	    end_ns - condition->since_ns < record->header->threshold_ns ||
	    (end_ns > condition->last_ns && end_ns - condition->last_ns > FRESH_NS))
		return -1;
	return (end_ns - condition->since_ns) / 1e9;
}

static bool holds_up_rcu(const struct verdict_input *input, uint32_t number)
{
	const struct cpu *cpu = cpus_find(input->cpus, number);
	size_t index = cpu ? cpu - input->cpus->list.data : 0;

	return cpu && input->cpu_states && index < input->cpu_states->list.count &&
	       input->cpu_states->list.data[index].holds_up_rcu;
}

/* A CPU that takes no interrupts does not look: any other has it. */
static void add_rcu(struct verdict *verdict, const struct record *record)
{
	double longest = -1;

	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		double seconds = verdict_condition_s(record, cpu, RECORD_KIND_RCU_STALL);
		longest = seconds > longest ? seconds : longest;
	}
	if (longest >= 0)
		verdict_add_evidence(
			verdict,
			"RCU waits for CPU %d: its grace period has not ended for %.1f s (flight record)",
			verdict->cpu, longest);
}

static bool is_lazy(const struct record_slot *slot)
{
	return slot->conditions[RECORD_KIND_NEED_RESCHED].words[0] == RECORD_RESCHED_LAZY;
}

void verdict_add_conditions(struct verdict *verdict, const struct verdict_input *input)
{
	const struct record *record = input->record;
	double seconds;

	if (!record || verdict->cpu < 0)
		return;
	seconds = verdict_condition_s(record, verdict->cpu, RECORD_KIND_NEED_RESCHED);
	if (seconds >= 0)
		verdict_add_evidence(
			verdict,
			"CPU %d was asked to leave its task%s %.1f s before the crash, and has not (flight record)",
			verdict->cpu,
			is_lazy(record_slot(record, verdict->cpu)) ? ", when it suits," : "",
			seconds);
	seconds = verdict_condition_s(record, verdict->cpu, RECORD_KIND_WORKQUEUE_STALL);
	if (seconds >= 0)
		verdict_add_evidence(
			verdict,
			"the workers of CPU %d have left work undone for %.1f s (flight record)",
			verdict->cpu, seconds);
	if (holds_up_rcu(input, verdict->cpu))
		add_rcu(verdict, record);
}
