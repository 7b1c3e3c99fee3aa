// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU whose time goes to interrupts or softirqs, as the recorder saw, and to many of them: a single one that does
 * not end is a lockup like any other. No function is to blame, but whatever raises them.
 */
#include <stdio.h>

#include "verdict/verdict.h"

#define LEAST_RATE 100 /* a second */
#define CONFIDENCE 0.8

struct storm {
	uint32_t cpu;
	enum record_kind kind;
	double seconds;
	uint64_t percent, rate;
};

static bool find_on(const struct record *record, uint32_t cpu, struct storm *ret)
{
	static const enum record_kind kinds[] = { RECORD_KIND_IRQ_STORM,
						  RECORD_KIND_SOFTIRQ_STORM };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		double seconds = verdict_condition_s(record, cpu, kinds[i]);
		if (seconds < 0)
			continue;
		const __u64 *words = record_slot(record, cpu)->conditions[kinds[i]].words;
		if (words[1] < LEAST_RATE)
			continue;
		*ret = (struct storm){ cpu, kinds[i], seconds, words[0], words[1] };
		return true;
	}
	return false;
}

/* On the CPU that hung; if none has, on any: the one where it has lasted for longest. */
static bool find_storm(const struct verdict_input *input, struct storm *ret)
{
	const struct record *record = input->record;
	struct stuck_cpu stuck;
	struct storm storm;

	if (!record)
		return false;
	if (verdict_stuck_cpu(input, &stuck))
		return find_on(record, stuck.number, ret);
	ret->seconds = -1;
	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++)
		if (find_on(record, cpu, &storm) && storm.seconds > ret->seconds)
			*ret = storm;
	return ret->seconds >= 0;
}

/* Which softirq came most often between the stall's first sample and its last, and how often a second; NULL: unknown. */
static const char *most_frequent(const struct record_slot *slot, double *rate_ret)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = record_samples(slot, samples, &torn), most = 0;
	uint64_t more[RECORD_NR_SOFTIRQS];

	if (count < 2)
		return NULL;
	const struct record_sample *first = samples[0], *last = samples[count - 1];
	if (last->time_ns <= first->time_ns || first->nr_irqs == RECORD_UNKNOWN)
		return NULL;
	for (size_t i = 0; i < RECORD_NR_SOFTIRQS; i++) {
		more[i] = last->nr_softirqs[i] - first->nr_softirqs[i];
		most = more[i] > more[most] ? i : most;
	}
	*rate_ret = more[most] / ((last->time_ns - first->time_ns) / 1e9);
	return cpu_softirq_name(most);
}

bool rule_storm(struct verdict *verdict, const struct verdict_input *input)
{
	const struct stack none = {};
	const char *most = NULL;
	struct storm storm;
	double rate;

	if (!find_storm(input, &storm))
		return false;
	bool softirqs = storm.kind == RECORD_KIND_SOFTIRQ_STORM;
	const char *what = softirqs ? "softirqs" : "interrupts";
	verdict->kind = softirqs ? "softirq-storm" : "irq-storm";
	verdict->cpu = storm.cpu;
	verdict->stuck_s = storm.seconds;
	verdict->confidence = CONFIDENCE;
	verdict_add_evidence(
		verdict, "%llu %% of CPU %u's time went to %s, %llu a second (flight record)",
		(unsigned long long)storm.percent, storm.cpu, what, (unsigned long long)storm.rate);
	if (softirqs)
		most = most_frequent(record_slot(input->record, storm.cpu), &rate);
	if (most)
		verdict_add_evidence(verdict, "most of them were %s, %.0f a second (its samples)",
				     most, rate);
	snprintf(verdict->title, sizeof(verdict->title), "INFO: %s storm%s%s",
		 softirqs ? "softirq" : "interrupt", most ? " of " : "", most ? most : "");
	snprintf(verdict->summary, sizeof(verdict->summary),
		 "CPU %u has had time for nothing but %s for %.1f s: %llu a second.", storm.cpu,
		 what, storm.seconds, (unsigned long long)storm.rate);
	verdict_sign(verdict, input->kernel, &none);
	return true;
}
