// SPDX-License-Identifier: GPL-2.0-only
#include "capture/telling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "capture/clock.h"
#include "kdump/events.h"
#include "capture/facts.h"
#include "capture/sysrq.h"
#include "state/record.h"

static const struct record_header *header_of(const struct spooler *spooler)
{
	return recorder_header(&spooler->watch->recorder);
}

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_SEC;
}

void tell_metrics(struct spooler *spooler, bool watching)
{
	const struct watch *watch = spooler->watch;
	const struct record_header *header = header_of(spooler);
	struct metrics *metrics = &spooler->metrics;

	if (!watch->options->metrics)
		return;
	metrics->watching = watching;
	metrics->hook = watch->recorder.hook;
	metrics->trigger = watch_options_trigger(watch->options->trigger);
	metrics->heartbeat_s = seconds(record_realtime_ns(header, header->heartbeat_ns));
	metrics->threshold_s = seconds(watch->options->threshold_ns);
	metrics->trigger_failures = spooler->failures;
	metrics->stalled_cpus = 0;
	metrics->ticks = 0;
	for (uint32_t cpu = 0; cpu < watch->recorder.nr_cpus; cpu++) {
		const struct record_slot *slot = recorder_slot(&watch->recorder, cpu);
		metrics->ticks += slot->ticks ? slot->ticks : slot->watchdog_calls;
		metrics->stalled_cpus += spooler->stalls[cpu].onset_ns != 0;
	}
	struct error *err = metrics_write(metrics, watch->options->metrics);
	if (err)
		error_report(err);
}

void tell_length(struct spooler *spooler, const struct stall *stall)
{
	double length_s = seconds(stall_length_ns(stall));

	if (length_s > spooler->metrics.longest_s)
		spooler->metrics.longest_s = length_s;
}

static void add_stall(struct event *event, const struct spooler *spooler, const struct stall *stall,
		      const struct record_sample *sample)
{
	event_add(event, "LOCKDUMP_CPU", "%u", stall->cpu);
	event_add(event, "LOCKDUMP_STALL_SEC", "%.3f", seconds(stall_length_ns(stall)));
	if (sample) {
		event_add(event, "LOCKDUMP_PID", "%u", sample->pid);
		event_add(event, "LOCKDUMP_COMM", "%.*s", (int)sizeof(sample->comm), sample->comm);
	}
	if (spooler->stored)
		event_add(event, "LOCKDUMP_INCIDENT", "%s", spooler->incident.id);
}

/* Once the sentry has settled down. */
void tell_watching(struct spooler *spooler)
{
	const struct watch *watch = spooler->watch;
	struct event event;
	char text[192];

	if (spooler->told_watching || !watch->shared->watching)
		return;
	spooler->told_watching = true;
	tell_metrics(spooler, true);
	if (watch->journal.fd < 0)
		return;
	watch_describe(watch, text, sizeof(text));
	event_init(&event, EVENT_WATCHING, LOG_INFO);
	event_add(&event, "LOCKDUMP_HOOK", "%s", watch->recorder.hook);
	event_add(&event, "LOCKDUMP_TRIGGER", "%s", watch_options_trigger(watch->options->trigger));
	/* On stderr the sentry has said it, unless that is the journal. */
	event_tell(&event, &watch->journal, watch->journal.is_stderr ? stderr : NULL, "%s", text);
}

/* The trigger was pulled, and nothing happened. */
void tell_failure(struct spooler *spooler)
{
	const struct watch *watch = spooler->watch;
	uint32_t failures = watch->shared->failures;
	struct event event;

	if (failures == spooler->failures)
		return;
	spooler->failures = failures;
	event_init(&event, EVENT_TRIGGER_FAILED, LOG_ERR);
	event_add(&event, "ERRNO", "%d", watch->shared->failure);
	event_tell(&event, &watch->journal, watch->journal.is_stderr ? stderr : NULL,
		   "/proc/sysrq-trigger: the machine is still running: %s",
		   sysrq_failure(watch->shared->failure));
	tell_metrics(spooler, true);
}

/* Any user gives his processes their names; they are about to reach a terminal. */
static void clean_comms(struct record_slot *slot)
{
	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++) {
		char *comm = slot->samples[i].comm;
		comm[sizeof(slot->samples[i].comm) - 1] = '\0';
		clean_text(comm);
	}
}

/* To spooler->slot. */
static void copy_slot(const struct spooler *spooler, uint32_t cpu)
{
	stall_copy_slot(recorder_slot(&spooler->watch->recorder, cpu), spooler->slot);
	clean_comms(spooler->slot);
}

static void count_stall(struct spooler *spooler, const struct stall *stall,
			const struct record_sample *sample)
{
	struct metrics *metrics = &spooler->metrics;

	metrics->stalls++;
	metrics->cpu = stall->cpu;
	metrics->onset_s = seconds(record_realtime_ns(header_of(spooler), stall->onset_ns));
	snprintf(metrics->comm, sizeof(metrics->comm), "%.16s", sample ? sample->comm : "");
	snprintf(metrics->incident, sizeof(metrics->incident), "%s",
		 spooler->stored ? spooler->incident.id : "");
	tell_length(spooler, stall);
}

void tell_stall(struct spooler *spooler, const struct stall *stall)
{
	struct event event;

	copy_slot(spooler, stall->cpu);
	const struct record_sample *sample = stall_newest_sample(spooler->slot, stall->onset_ns);
	event_init(&event, EVENT_STALL, LOG_ERR);
	add_stall(&event, spooler, stall, sample);
	event_tell(&event, &spooler->watch->journal, stderr,
		   "CPU %u %s stuck for %.1f s: %s (pid %u); incident %s", stall->cpu,
		   stall->end_ns ? "was" : "is", seconds(stall_length_ns(stall)),
		   sample ? sample->comm : "?", sample ? sample->pid : 0,
		   spooler->stored ? spooler->incident.id : "could not be made");
	notify_send(&spooler->watch->notify, "STATUS=CPU %u is stuck: %s (pid %u)", stall->cpu,
		    sample ? sample->comm : "?", sample ? sample->pid : 0);
	count_stall(spooler, stall, sample);
}

static void add_alarm(struct event *event, const struct spooler *spooler, const struct cause *cause)
{
	event_add(event, "LOCKDUMP_KIND", "%s", cause_kind_name(cause->kind));
	event_add(event, "LOCKDUMP_SEC", "%.3f", seconds(cause->lasted_ns));
	if (!cause_is_machines(cause->kind))
		event_add(event, "LOCKDUMP_CPU", "%u", cause->cpu);
	if (spooler->stored)
		event_add(event, "LOCKDUMP_INCIDENT", "%s", spooler->incident.id);
}

/* "CPU 1: ", if it is about one. */
static void print_cpu(const struct cause *cause, char *ret, size_t size)
{
	*ret = '\0';
	if (!cause_is_machines(cause->kind))
		snprintf(ret, size, "CPU %u: ", cause->cpu);
}

void tell_alarm(struct spooler *spooler, const struct cause *cause)
{
	char text[128], cpu[32];
	struct event event;

	cause_describe(cause, text, sizeof(text));
	print_cpu(cause, cpu, sizeof(cpu));
	event_init(&event, EVENT_ALARM, LOG_ERR);
	add_alarm(&event, spooler, cause);
	if (cause->pid) {
		event_add(&event, "LOCKDUMP_PID", "%u", cause->pid);
		event_add(&event, "LOCKDUMP_COMM", "%s", cause->comm);
	}
	event_tell(&event, &spooler->watch->journal, stderr, "%s%s; incident %s", cpu, text,
		   spooler->stored ? spooler->incident.id : "could not be made");
	notify_send(&spooler->watch->notify, "STATUS=%s%s", cpu, text);
	spooler->metrics.alarms[cause->kind]++;
}

void tell_alarm_end(const struct spooler *spooler, const struct cause *cause)
{
	struct event event;
	char cpu[32];

	print_cpu(cause, cpu, sizeof(cpu));
	event_init(&event, EVENT_ALARM_ENDED, LOG_NOTICE);
	add_alarm(&event, spooler, cause);
	event_tell(&event, &spooler->watch->journal,
		   spooler->watch->options->print ? stdout : stderr, "%s%s has ended, after %.1f s",
		   cpu, cause_kind_name(cause->kind), seconds(cause->lasted_ns));
}

void tell_facts(const struct spooler *spooler, const struct stall *stall)
{
	const struct watch_options *options = spooler->watch->options;
	_cleanup_free_ char *path = NULL;

	if (!options->print)
		return;
	copy_slot(spooler, stall->cpu);
	if (spooler->stored && asprintf(&path, "%s/%s", options->store, spooler->incident.id) < 0)
		path = NULL;
	struct facts facts = {
		.header = header_of(spooler),
		.slot = spooler->slot,
		.stall = *stall,
		.incident = path,
	};
	struct error *err = facts_print(&facts, stdout);
	if (err)
		error_report(err);
}

void tell_end(const struct spooler *spooler, const struct stall *stall)
{
	uint64_t silent_ns = spooler->watch->recorder.silent_ns;
	bool silent = stall_state(stall, now_ns(), silent_ns) == STALL_SILENT;
	struct event event;

	event_init(&event, EVENT_STALL_ENDED, silent ? LOG_ERR : LOG_NOTICE);
	add_stall(&event, spooler, stall, NULL);
	event_tell(&event, &spooler->watch->journal,
		   spooler->watch->options->print ? stdout : stderr, "CPU %u %s, after %.1f s",
		   stall->cpu, silent ? "takes no timer interrupts any more" : "schedules again",
		   seconds(stall_length_ns(stall)));
}

void tell_status(const struct spooler *spooler)
{
	char text[192];

	watch_describe(spooler->watch, text, sizeof(text));
	notify_send(&spooler->watch->notify, "STATUS=%s", text);
}

void tell_crash(const struct spooler *spooler)
{
	const struct record_header *header = header_of(spooler);
	struct event event;

	event_init(&event, EVENT_CRASHING, LOG_CRIT);
	event_add(&event, "LOCKDUMP_CPU", "%d", header->fired_cpu);
	event_add(&event, "LOCKDUMP_REASON", "%s", header->fired_reason);
	if (spooler->stored)
		event_add(&event, "LOCKDUMP_INCIDENT", "%s", spooler->incident.id);
	event_tell(&event, &spooler->watch->journal, stderr, "CPU %d: crashing the machine: %s",
		   header->fired_cpu, header->fired_reason);
}
