/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened when: the flight record's samples and the kernel's own log on one clock. */
#ifndef LOCKDUMP_TIMELINE_H
#define LOCKDUMP_TIMELINE_H

#include "state/machine.h"
#include "state/record.h"
#include "state/tasks.h"

enum event_kind {
	EVENT_ONSET,
	EVENT_SAMPLE,
	EVENT_WATCHDOG,
	EVENT_RECOVERED,
	EVENT_TRIGGER,
};

struct event {
	double t_s; /* to the crash, else to the last sample: not above 0 */
	enum event_kind kind;
	int32_t cpu; /* -1: unknown */
	const struct record_sample *sample; /* of an onset: the stall's first one; or NULL */
	const char *text; /* what else there is to say, or NULL */
};

struct timeline {
	VECTOR(struct event) events; /* in the order of time */
};

/* "onset", "sample", ...: interface.md's words. */
const char *event_name(enum event_kind kind);

/* @record may be NULL: then only what the kernel logged is there. */
struct error *timeline_init(struct timeline *timeline, const struct record *record,
			    const struct dmesg *dmesg, const struct machine *machine);
void timeline_deinit(struct timeline *timeline);

/* When the record ends, on its own clock: at the trigger, else at the last tick that any CPU had. */
uint64_t timeline_end_ns(const struct record *record);

/* What a line of the kernel's own soft-lockup detector says. */
struct watchdog_line {
	uint32_t cpu;
	uint32_t stuck_s;
	uint32_t pid; /* of the task that was running */
	char comm[TASK_COMM_SIZE];
};

bool watchdog_line(const char *text, struct watchdog_line *ret);

#endif
