// SPDX-License-Identifier: GPL-2.0-only
#include "capture/spooler.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "capture/clock.h"
#include "capture/events.h"
#include "capture/facts.h"
#include "capture/header.h"
#include "capture/privilege.h"
#include "capture/rig.h"
#include "capture/sysrq.h"
#include "state/record.h"

#define LOOK_INTERVAL_NS  (1 * NS_PER_SEC)
#define SPOOL_INTERVAL_NS (3 * NS_PER_SEC)

_Static_assert(sizeof(((struct record_header *)0)->incident) == INCIDENT_ID_SIZE,
	       "an incident's ID must fit the record's header");

/* True if there was an error. */
static bool complain(struct error *err)
{
	if (err)
		error_report(err);
	return err;
}

static const struct record_header *header_of(const struct spooler *spooler)
{
	return recorder_header(&spooler->watch->recorder);
}

static enum stall_state state_of(const struct spooler *spooler, const struct stall *stall)
{
	return stall_state(stall, now_ns(), spooler->watch->recorder.silent_ns);
}

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_SEC;
}

/* Writes them, if they are asked for. */
static void publish(struct spooler *spooler, bool watching)
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
	complain(metrics_write(metrics, watch->options->metrics));
}

/* Takes the stall as it is now into them. */
static void measure(struct spooler *spooler, const struct stall *stall)
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
static void tell_watching(struct spooler *spooler)
{
	const struct watch *watch = spooler->watch;
	struct event event;
	char text[192];

	if (spooler->told_watching || !watch->shared->watching)
		return;
	spooler->told_watching = true;
	publish(spooler, true);
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
static void tell_failure(struct spooler *spooler)
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
	publish(spooler, true);
}

static struct error *spool(struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;

	spooler->next_spool_ns = now_ns() + SPOOL_INTERVAL_NS;
	if (!spooler->stored)
		return NULL;
	memcpy(spooler->copy, recorder->record, RECORD_SLOT_SIZE);
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++)
		stall_copy_slot(recorder_slot(recorder, cpu),
				(void *)(spooler->copy + (size_t)RECORD_SLOT_SIZE * (1 + cpu)));
	return incident_write(&spooler->incident, "record.bin", spooler->copy, recorder->size);
}

/* Makes the incident, tells the record its ID, and stores what there is. */
static void begin_incident(struct spooler *spooler, const struct stall *stall)
{
	struct record_header *header = recorder_header(&spooler->watch->recorder);
	uint64_t onset_ns = record_realtime_ns(header, stall->onset_ns);

	spooler->open = true;
	struct error *err = incident_create(spooler->watch->options->store, onset_ns / NS_PER_SEC,
					    header->boot_id, &spooler->incident);
	if (!err) {
		spooler->stored = true;
		spooler->metrics.incidents++;
		memcpy(header->incident, spooler->incident.id, sizeof(header->incident));
	}
	complain(err);
	complain(spool(spooler));
}

static void end_incident(struct spooler *spooler)
{
	struct record_header *header = recorder_header(&spooler->watch->recorder);

	spooler->failed = !spooler->stored;
	spooler->failed |= complain(spool(spooler));
	if (spooler->stored) {
		spooler->failed |= complain(rig_write(&spooler->incident));
		fprintf(stderr, "lockdump: incident %s is closed\n", spooler->incident.id);
		incident_close(&spooler->incident);
	}
	memset(header->incident, 0, sizeof(header->incident));
	spooler->open = spooler->stored = false;
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
	measure(spooler, stall);
}

static void tell_stall(struct spooler *spooler, const struct stall *stall)
{
	const struct record_slot *slot = recorder_slot(&spooler->watch->recorder, stall->cpu);
	const struct watch_options *options = spooler->watch->options;
	_cleanup_free_ char *path = NULL;

	stall_copy_slot(slot, spooler->slot);
	clean_comms(spooler->slot);
	const struct record_sample *sample = stall_newest_sample(spooler->slot, stall->onset_ns);
	struct event event;
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
	if (!options->print)
		return;
	if (spooler->stored && asprintf(&path, "%s/%s", options->store, spooler->incident.id) < 0)
		path = NULL;
	struct facts facts = {
		.header = header_of(spooler),
		.slot = spooler->slot,
		.stall = *stall,
		.incident = path,
	};
	complain(facts_print(&facts, stdout));
}

static void tell_end(const struct spooler *spooler, const struct stall *stall)
{
	bool silent = state_of(spooler, stall) == STALL_SILENT;
	struct event event;

	event_init(&event, EVENT_STALL_ENDED, silent ? LOG_ERR : LOG_NOTICE);
	add_stall(&event, spooler, stall, NULL);
	event_tell(&event, &spooler->watch->journal,
		   spooler->watch->options->print ? stdout : stderr, "CPU %u %s, after %.1f s",
		   stall->cpu, silent ? "takes no timer interrupts any more" : "schedules again",
		   seconds(stall_length_ns(stall)));
}

/* A stall past the threshold that was not attended to yet, of @cpu. */
static bool is_new(const struct spooler *spooler, uint32_t cpu, struct stall *ret)
{
	stall_read(recorder_slot(&spooler->watch->recorder, cpu), cpu, ret);
	return ret->onset_ns && ret->onset_ns != spooler->watch->shared->taken_onset_ns[cpu] &&
	       stall_is_lockup(ret, spooler->watch->options->threshold_ns);
}

/* Takes up what is new: all of them are in the record before the slow part, the printing, begins. */
static void take_up(struct spooler *spooler)
{
	uint32_t nr_cpus = spooler->watch->recorder.nr_cpus;
	bool any = false;

	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		struct stall stall;
		if (!is_new(spooler, cpu, &stall))
			continue;
		if (!spooler->open)
			begin_incident(spooler, &stall);
		spooler->stalls[cpu] = stall;
		any = true;
	}
	for (uint32_t cpu = 0; any && cpu < nr_cpus; cpu++) {
		const struct stall *stall = &spooler->stalls[cpu];
		if (!stall->onset_ns ||
		    stall->onset_ns == spooler->watch->shared->taken_onset_ns[cpu])
			continue;
		tell_stall(spooler, stall);
		spooler->watch->shared->taken_onset_ns[cpu] = stall->onset_ns;
	}
	if (any)
		publish(spooler, true);
	if (any && spooler->stored)
		complain(rig_write(&spooler->incident));
}

/* Whether any stall of this incident is still on; tells of those that ended. */
static bool still_on(struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;
	bool on = false;

	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++) {
		struct stall *mine = &spooler->stalls[cpu], now;
		if (!mine->onset_ns)
			continue;
		stall_read(recorder_slot(recorder, cpu), cpu, &now);
		if (now.onset_ns == mine->onset_ns)
			*mine = now;
		else if (!mine->end_ns) /* another has come since: this one is over */
			mine->end_ns = mine->last_ns;
		measure(spooler, mine);
		if (state_of(spooler, mine) == STALL_ON) {
			on = true;
			continue;
		}
		tell_end(spooler, mine);
		*mine = (struct stall){};
	}
	return on;
}

static void tell_status(const struct spooler *spooler)
{
	char text[192];

	watch_describe(spooler->watch, text, sizeof(text));
	notify_send(&spooler->watch->notify, "STATUS=%s", text);
}

bool spooler_attend(struct spooler *spooler)
{
	tell_watching(spooler);
	tell_failure(spooler);
	take_up(spooler);
	if (!spooler->open)
		return false;
	if (!still_on(spooler)) {
		end_incident(spooler);
		publish(spooler, true);
		tell_status(spooler);
		return spooler->watch->options->once;
	}
	if (now_ns() >= spooler->next_spool_ns)
		complain(spool(spooler));
	return false;
}

static void tell_crash(struct spooler *spooler)
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

/* A last spool before the machine is crashed: answered in any case. */
static void answer(struct spooler *spooler)
{
	struct shared *shared = spooler->watch->shared;
	uint32_t asked = shared->asked;

	if (asked == shared->answered)
		return;
	if (!spooler->open)
		take_up(spooler);
	else
		complain(spool(spooler));
	tell_crash(spooler);
	shared->answered = asked;
	spooler->metrics.triggers++;
	publish(spooler, true);
}

static int next_signal(const struct spooler *spooler, const sigset_t *signals)
{
	struct timespec timeout = to_timespec(LOOK_INTERVAL_NS);

	return spooler->open ? sigtimedwait(signals, NULL, &timeout) : sigwaitinfo(signals, NULL);
}

struct error *spooler_init(const struct watch *watch, struct spooler *ret)
{
	*ret = (struct spooler){
		.watch = watch,
		.incident = { .dirfd = -1 },
		.stalls = calloc(watch->recorder.nr_cpus, sizeof(*ret->stalls)),
		.slot = calloc(1, sizeof(*ret->slot)),
		.copy = calloc(1, watch->recorder.size),
	};
	if (ret->stalls && ret->slot && ret->copy)
		return NULL;
	spooler_deinit(ret);
	return &error_no_memory;
}

void spooler_deinit(struct spooler *spooler)
{
	incident_close(&spooler->incident);
	free(spooler->stalls);
	free(spooler->slot);
	free(spooler->copy);
}

static int serve(struct spooler *spooler)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SPOOLER_WAKE);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	for (;;) {
		int signal = next_signal(spooler, &signals);
		if (signal == SIGINT || signal == SIGTERM)
			break;
		answer(spooler);
		if (spooler_attend(spooler))
			return spooler->failed;
	}
	take_up(spooler);
	if (spooler->open)
		end_incident(spooler);
	publish(spooler, false);
	return 0;
}

/* Where the spooler writes to. */
static struct error *cut_privilege(const struct watch_options *options)
{
	_cleanup_free_ char *metrics = options->metrics ? strdup(options->metrics) : NULL;
	const char *const folders[] = {
		options->store,
		metrics ? dirname(metrics) : NULL,
		NULL,
	};

	return privilege_cut_spooler(folders);
}

int spooler_run(const struct watch *watch)
{
	struct spooler spooler;
	struct error *err = cut_privilege(watch->options);

	if (!err)
		err = spooler_init(watch, &spooler);
	if (err)
		return error_report(err);
	int status = serve(&spooler);
	spooler_deinit(&spooler);
	return status;
}
