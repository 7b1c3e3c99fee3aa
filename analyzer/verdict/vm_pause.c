// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stall that is none: for most of its time the whole machine did not run, for it is a guest that was paused or got
 * no time. What is left of it is too short for a lockup, or another rule would have applied.
 */
#include <stdio.h>

#include "verdict/verdict.h"

#define RECENT_NS  60000000000ull /* a stall that ended before is not why there is a dump */
#define CONFIDENCE 0.8

/* How long the machine was paused in the last stall of @cpu, if that was most of it. */
static uint64_t paused_ns(const struct record *record, uint32_t cpu)
{
	const struct record_slot *slot = record_slot(record, cpu);
	uint64_t end_ns = timeline_end_ns(record);
	uint64_t until_ns = slot->end_ns ? slot->end_ns : slot->last_ns;

	if (!slot->onset_ns || record_slot_is_torn(slot) || until_ns <= slot->onset_ns ||
	    slot->paused_ns < record->header->threshold_ns ||
	    slot->paused_ns > until_ns - slot->onset_ns ||
	    slot->paused_ns < (until_ns - slot->onset_ns) / 2 ||
	    (end_ns > until_ns && end_ns - until_ns > RECENT_NS))
		return 0;
	return slot->paused_ns;
}

bool rule_vm_pause(struct verdict *verdict, const struct verdict_input *input)
{
	const struct stack none = {};
	uint64_t longest = 0;
	uint32_t cpu = 0;

	for (uint32_t i = 0; input->record && i < input->record->header->nr_slots; i++) {
		uint64_t ns = paused_ns(input->record, i);
		if (ns > longest) {
			longest = ns;
			cpu = i;
		}
	}
	if (!longest)
		return false;
	const struct record_slot *slot = record_slot(input->record, cpu);
	uint64_t until_ns = slot->end_ns ? slot->end_ns : slot->last_ns;
	verdict->kind = "vm-pause";
	verdict->cpu = -1;
	verdict->stuck_s = -1;
	verdict->confidence = CONFIDENCE;
	snprintf(verdict->title, sizeof(verdict->title), "INFO: the machine was paused");
	snprintf(verdict->summary, sizeof(verdict->summary),
		 "The machine did not run for %.1f s, as a guest that is paused: no bug.",
		 longest / 1e9);
	verdict_add_evidence(
		verdict,
		"of the %.1f s in which CPU %u switched no tasks, no CPU ran anything for %.1f s (flight record)",
		(until_ns - slot->onset_ns) / 1e9, cpu, longest / 1e9);
	verdict_sign(verdict, input->kernel, &none);
	return true;
}
