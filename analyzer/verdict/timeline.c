// SPDX-License-Identifier: GPL-2.0-only
#include "verdict/timeline.h"

#include <stdio.h>
#include <string.h>

const char *event_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_ONSET] = "onset",       [EVENT_SAMPLE] = "sample",
		[EVENT_WATCHDOG] = "watchdog", [EVENT_RECOVERED] = "recovered",
		[EVENT_TRIGGER] = "trigger",
	};
	return names[kind];
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

static struct error *add(struct timeline *timeline, const struct event *event)
{
	struct event *place = vector_push(&timeline->events);

	if (!place)
		return &error_no_memory;
	*place = *event;
	if (place->t_s > 0)
		place->t_s = 0;
	return NULL;
}

static double seconds(uint64_t ns, uint64_t end_ns)
{
	return (double)(int64_t)(ns - end_ns) / 1e9;
}

static struct error *add_slot(struct timeline *timeline, const struct record *record, uint32_t cpu,
			      uint64_t end_ns)
{
	const struct record_slot *slot = record_slot(record, cpu);
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = record_samples(slot, samples, &torn);

	if (!slot->onset_ns || !count)
		return NULL;
	struct event event = {
		.t_s = seconds(slot->onset_ns, end_ns),
		.kind = EVENT_ONSET,
		.cpu = cpu,
		.sample = samples[0],
		.text = "the last task switch on this CPU",
	};
	struct error *err = add(timeline, &event);
	for (size_t i = 0; !err && i < count; i++) {
		event = (struct event){
			.t_s = seconds(samples[i]->time_ns, end_ns),
			.kind = EVENT_SAMPLE,
			.cpu = cpu,
			.sample = samples[i],
		};
		err = add(timeline, &event);
	}
	if (!err && slot->end_ns) {
		event = (struct event){
			.t_s = seconds(slot->end_ns, end_ns),
			.kind = EVENT_RECOVERED,
			.cpu = cpu,
			.text = "the CPU scheduled again",
		};
		err = add(timeline, &event);
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
			.t_s = seconds(line->t_ns, end_ns),
			.kind = EVENT_WATCHDOG,
			.cpu = said.cpu,
			.text = line->text,
		};
		err = add(timeline, &event);
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

struct error *timeline_init(struct timeline *timeline, const struct record *record,
			    const struct dmesg *dmesg, const struct machine *machine)
{
	struct error *err = NULL;

	memset(timeline, 0, sizeof(*timeline));
	if (record) {
		const struct record_header *header = record->header;
		uint64_t end_ns = timeline_end_ns(record);
		for (uint32_t cpu = 0; !err && cpu < header->nr_slots; cpu++)
			err = add_slot(timeline, record, cpu, end_ns);
		if (!err && header->fired_ns) {
			struct event event = {
				.kind = EVENT_TRIGGER,
				.cpu = header->fired_cpu,
				.text = header->fired_reason,
			};
			err = add(timeline, &event);
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
}
