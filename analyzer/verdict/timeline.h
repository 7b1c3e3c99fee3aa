/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened when: the flight record's samples and events and the kernel's own log on one clock. */
#ifndef LOCKDUMP_TIMELINE_H
#define LOCKDUMP_TIMELINE_H

#include "base/arena.h"
#include "state/machine.h"
#include "state/record.h"
#include "state/tasks.h"

enum event_kind {
	EVENT_ONSET,
	EVENT_SAMPLE,
	EVENT_WATCHDOG,
	EVENT_IRQS_OFF,
	EVENT_LOCK_WAIT,
	EVENT_NEED_RESCHED,
	EVENT_RCU_STALL,
	EVENT_HUNG_TASK,
	EVENT_WORKQUEUE_STALL,
	EVENT_IRQ_STORM,
	EVENT_SOFTIRQ_STORM,
	EVENT_PROBE,
	EVENT_PAUSE,
	EVENT_RECOVERED,
	EVENT_TRIGGER,
};

struct event {
	double t_s; /* to the crash, else to the last sample: not above 0 */
	enum event_kind kind;
	int32_t cpu; /* -1: unknown, or of the whole machine */
	bool has_task;
	uint32_t pid;
	const char *comm; /* NULL: unknown */
	const struct record_sample *sample; /* whose stack it is, or NULL */
	const __u64 *pcs; /* else: return addresses, from the inside out; or NULL */
	size_t nr_pcs;
	const char *text; /* what else there is to say, or NULL */
};

struct timeline {
	VECTOR(struct event) events; /* in the order of time */
	struct arena text;
};

/* "onset", "sample", ...: interface.md's words. */
const char *event_name(enum event_kind kind);

/*
 * @record may be NULL: then only what the kernel logged is there. @kernel gives locks their names. What it is made
 * from must live as long.
 */
struct error *timeline_init(struct timeline *timeline, struct kernel *kernel,
			    const struct record *record, const struct dmesg *dmesg,
			    const struct machine *machine);
void timeline_deinit(struct timeline *timeline);

/*
 * The event's stack, from the inside out: where its pcs begin, and how many, RECORD_STACK_MAX at most. A sample's first
 * one was interrupted; all others are return addresses.
 */
size_t event_stack(const struct event *event, const struct kernel *kernel, const __u64 **ret);

/* For the files that fill it: adds a copy of @event, at @ns of the record's clock, which ends at @end_ns. */
struct error *timeline_add(struct timeline *timeline, const struct event *event, uint64_t ns,
			   uint64_t end_ns);

/* Adds what the record has besides stalls and their samples. */
struct error *timeline_add_recorded(struct timeline *timeline, struct kernel *kernel,
				    const struct record *record);

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
