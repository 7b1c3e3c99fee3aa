// SPDX-License-Identifier: GPL-2.0-only
#include "verdict/timeline.h"

#include <stdio.h>
#include <string.h>

#define LONG_BEFORE_NS 1000000000ull

const char *event_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_ONSET] = "onset",
		[EVENT_SAMPLE] = "sample",
		[EVENT_WATCHDOG] = "watchdog",
		[EVENT_IRQS_OFF] = "irqs-off",
		[EVENT_LOCK_WAIT] = "lock-wait",
		[EVENT_NEED_RESCHED] = "need-resched",
		[EVENT_RCU_STALL] = "rcu-stall",
		[EVENT_HUNG_TASK] = "hung-task",
		[EVENT_WORKQUEUE_STALL] = "workqueue-stall",
		[EVENT_IRQ_STORM] = "irq-storm",
		[EVENT_SOFTIRQ_STORM] = "softirq-storm",
		[EVENT_PROBE] = "probe",
		[EVENT_PAUSE] = "pause",
		[EVENT_RECOVERED] = "recovered",
		[EVENT_TRIGGER] = "trigger",
	};
	return names[kind];
}

size_t event_stack(const struct event *event, const struct kernel *kernel, const __u64 **ret)
{
	if (event->sample)
		return sample_stack(event->sample, event->sample->regs[kernel->unwinder.arch->pc],
				    ret);
	*ret = event->pcs;
	return event->nr_pcs;
}

uint64_t timeline_end_ns(const struct record *record)
{
	uint64_t end = record->header->fired_ns;

	for (uint32_t cpu = 0; !record->header->fired_ns && cpu < record->header->nr_slots; cpu++)
		if (record_slot(record, cpu)->last_tick_ns > end)
			end = record_slot(record, cpu)->last_tick_ns;
	return end;
}

/* "watchdog: BUG: soft lockup - CPU#1 stuck for 11s! [comm:166]"; a comm may have a colon too. */
bool watchdog_line(const char *text, struct watchdog_line *ret)
{
	const char *found = strstr(text, "BUG: soft lockup - CPU#");
	const char *comm = found ? strchr(found, '[') : NULL;
	const char *pid = comm ? strrchr(comm, ':') : NULL;

	if (!pid ||
	    sscanf(found, "BUG: soft lockup - CPU#%u stuck for %us!", &ret->cpu, &ret->stuck_s) !=
		    2 ||
	    sscanf(pid, ":%u]", &ret->pid) != 1)
		return false;
	snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(pid - comm - 1), comm + 1);
	return true;
}

static double seconds(uint64_t ns, uint64_t end_ns)
{
	return (double)(int64_t)(ns - end_ns) / 1e9;
}

struct error *timeline_add(struct timeline *timeline, const struct event *event, uint64_t ns,
			   uint64_t end_ns)
{
	struct event *place = vector_push(&timeline->events);

	if (!place)
		return &error_no_memory;
	*place = *event;
	place->t_s = seconds(ns, end_ns);
	if (place->t_s > 0)
		place->t_s = 0;
	return NULL;
}

/* A stall is known by looks; what is exact is when the CPU last switched tasks. */
static const char *describe_onset(const struct record_slot *slot, struct arena *text)
{
	char line[128];

	if (!slot->switch_ns)
		return "in the kernel from here on";
	if (slot->switch_ns > slot->onset_ns || slot->onset_ns - slot->switch_ns < LONG_BEFORE_NS)
		return "the last task switch on this CPU";
	snprintf(line, sizeof(line),
		 "in the kernel from here on; the last task switch on this CPU was %.1f s before",
		 (slot->onset_ns - slot->switch_ns) / 1e9);
	return arena_strndup(text, line, strlen(line));
}

static struct event event_of_sample(enum event_kind kind, uint32_t cpu,
				    const struct record_sample *sample)
{
	return (struct event){
		.kind = kind,
		.cpu = cpu,
		.has_task = true,
		.pid = sample->pid,
		.comm = sample->comm,
		.sample = kind == EVENT_SAMPLE ? sample : NULL,
	};
}

static struct error *add_slot(struct timeline *timeline, const struct record *record, uint32_t cpu,
			      uint64_t end_ns)
{
	const struct record_slot *slot = record_slot(record, cpu);
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = record_samples(slot, samples, &torn);

	if (!slot->onset_ns || !count || record_slot_is_torn(slot))
		return NULL;
	struct event event = event_of_sample(EVENT_ONSET, cpu, samples[0]);
	event.text = describe_onset(slot, &timeline->text);
	struct error *err = timeline_add(timeline, &event, slot->onset_ns, end_ns);
	for (size_t i = 0; !err && i < count; i++) {
		event = event_of_sample(EVENT_SAMPLE, cpu, samples[i]);
		err = timeline_add(timeline, &event, samples[i]->time_ns, end_ns);
	}
	if (!err && slot->end_ns) {
		event = (struct event){
			.kind = EVENT_RECOVERED,
			.cpu = cpu,
			.text = "the CPU scheduled again",
		};
		err = timeline_add(timeline, &event, slot->end_ns, end_ns);
	}
	return err;
}

/*
 * The log has a clock of its own (local_clock()), a little off the record's:
 * what both have is the crash, so times are taken from there.
 */
static struct error *add_watchdog(struct timeline *timeline, const struct dmesg *dmesg,
				  const struct machine *machine)
{
	struct error *err = NULL;

	if (!dmesg->lines.count)
		return NULL;
	uint64_t end_ns = machine->panic ? machine->panic_t_ns
					 : dmesg->lines.data[dmesg->lines.count - 1].t_ns;
	for (size_t i = 0; !err && i < dmesg->lines.count; i++) {
		const struct dmesg_line *line = &dmesg->lines.data[i];
		struct watchdog_line said;
		if (!watchdog_line(line->text, &said))
			continue;
		struct event event = {
			.kind = EVENT_WATCHDOG,
			.cpu = said.cpu,
			.text = line->text,
		};
		err = timeline_add(timeline, &event, line->t_ns, end_ns);
	}
	return err;
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->t_s != y->t_s)
		return x->t_s < y->t_s ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

struct error *timeline_init(struct timeline *timeline, struct kernel *kernel,
			    const struct record *record, const struct dmesg *dmesg,
			    const struct machine *machine)
{
	struct error *err = NULL;

	memset(timeline, 0, sizeof(*timeline));
	if (record) {
		const struct record_header *header = record->header;
		uint64_t end_ns = timeline_end_ns(record);
		for (uint32_t cpu = 0; !err && cpu < header->nr_slots; cpu++)
			err = add_slot(timeline, record, cpu, end_ns);
		if (!err)
			err = timeline_add_recorded(timeline, kernel, record);
		if (!err && header->fired_ns) {
			struct event event = {
				.kind = EVENT_TRIGGER,
				.cpu = header->fired_cpu,
				.text = header->fired_reason,
			};
			err = timeline_add(timeline, &event, end_ns, end_ns);
		}
	}
	if (!err)
		err = add_watchdog(timeline, dmesg, machine);
	if (timeline->events.count)
		qsort(timeline->events.data, timeline->events.count, sizeof(*timeline->events.data),
		      compare_events);
	return err;
}

void timeline_deinit(struct timeline *timeline)
{
	vector_deinit(&timeline->events);
	arena_deinit(&timeline->text);
}
