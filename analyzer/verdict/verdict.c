// SPDX-License-Identifier: GPL-2.0-only
#include "verdict/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first that applies counts: from the most telling to the most general. */
static bool (*const rules[])(struct verdict *, const struct verdict_input *) = {
	rule_busy_loop,
};

void verdict_add_evidence(struct verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->nr_evidence == VERDICT_MAX_EVIDENCE)
		return;
	va_start(args, format);
	vsnprintf(verdict->evidence[verdict->nr_evidence++], sizeof(verdict->evidence[0]), format,
		  args);
	va_end(args);
}

double verdict_cpu_stuck_s(const struct record *record, uint32_t cpu)
{
	if (!record || cpu >= record->header->nr_slots)
		return -1;
	const struct record_slot *slot = record_slot(record, cpu);
	uint64_t end_ns = timeline_end_ns(record);
	if (!slot->onset_ns || slot->end_ns || end_ns < slot->onset_ns)
		return -1;
	/*
	 * A CPU that went idle right after a stall sees its end only with its next interrupt. The last look
	 * may also be later than the trigger: ticks go on until the panic stops them.
	 */
	if (end_ns > slot->last_ns && end_ns - slot->last_ns > record->header->sample_interval_ns)
		return -1;
	return (end_ns - slot->onset_ns) / 1e9;
}

void verdict_init(struct verdict *verdict, const struct verdict_input *input)
{
	memset(verdict, 0, sizeof(*verdict));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](verdict, input))
			return;
	memset(verdict, 0, sizeof(*verdict));
	verdict->kind = "none";
	verdict->cpu = -1;
	verdict->stuck_s = -1;
	snprintf(verdict->title, sizeof(verdict->title), "%s",
		 input->machine->panic ? input->machine->panic : "no hang found");
	snprintf(verdict->signature, sizeof(verdict->signature), "none-00000000");
	bool complete = dump_is_complete(input->kernel->dump);
	verdict->confidence = complete ? 0.5 : 0;
	snprintf(
		verdict->summary, sizeof(verdict->summary), "%s",
		complete
			? "No CPU is known to have hung: neither the flight record nor the kernel's log "
			  "says so."
			: "The dump is incomplete: what can be read of it does not tell whether a CPU hung.");
}
