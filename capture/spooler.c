// SPDX-License-Identifier: GPL-2.0-only
#include "capture/spooler.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/budget.h"
#include "capture/clock.h"
#include "capture/closing.h"
#include "capture/header.h"
#include "capture/heap.h"
#include "capture/privilege.h"
#include "capture/rig.h"
#include "capture/signals.h"
#include "capture/telling.h"
#include "report/notice.h"
#include "state/record.h"

#define LOOK_INTERVAL_NS  (1 * NS_PER_SEC)
#define SPOOL_INTERVAL_NS (3 * NS_PER_SEC)
#define HEAP_SIZE	  (256u << 10)
#define SPOOL_SHARE	  16 /* one that lasts for days does not fill the disk's time */
#define GATHER_WAIT_NS	  (3 * NS_PER_SEC) /* at an incident's end */

_Static_assert(sizeof(((struct record_header *)0)->incident) == INCIDENT_ID_SIZE,
	       "an incident's ID must fit the record's header");

/* True if there was an error. */
static bool complain(struct error *err)
{
	if (err)
		error_report(err);
	return err;
}

static enum stall_state state_of(const struct spooler *spooler, const struct stall *stall)
{
	return stall_state(stall, now_ns(), spooler->watch->recorder.silent_ns);
}

static void copy_record(const struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;

	memcpy(spooler->copy, recorder->record, RECORD_SLOT_SIZE);
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++)
		stall_copy_slot(recorder_slot(recorder, cpu),
				(void *)(spooler->copy + (size_t)RECORD_SLOT_SIZE * (1 + cpu)));
}

static struct error *spool(struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;

	uint64_t now = now_ns(), interval_ns = (now - spooler->begun_ns) / SPOOL_SHARE;

	spooler->next_spool_ns =
		now + (interval_ns > SPOOL_INTERVAL_NS ? interval_ns : SPOOL_INTERVAL_NS);
	if (!spooler->stored)
		return NULL;
	copy_record(spooler);
	return incident_write(&spooler->incident, "record.bin", spooler->copy, recorder->size);
}

/* Makes the incident, tells the record its ID, and stores what there is. */
static void begin_incident(struct spooler *spooler, uint64_t onset_ns)
{
	struct record_header *header = recorder_header(&spooler->watch->recorder);
	uint64_t realtime_ns = record_realtime_ns(header, onset_ns);

	spooler->open = true;
	spooler->begun_ns = now_ns();
	struct error *err =
		incident_create(spooler->watch->options->store, realtime_ns / NS_PER_SEC,
				header->boot_id, &spooler->incident);
	if (!err) {
		spooler->stored = true;
		spooler->metrics.incidents++;
		memcpy(header->incident, spooler->incident.id, sizeof(header->incident));
	}
	complain(err);
	complain(spool(spooler));
}

/* The incident that a watch before has left open: it goes on, and ends as any other. */
static void take_over_incident(struct spooler *spooler)
{
	struct record_header *header = recorder_header(&spooler->watch->recorder);

	if (!header->incident[0])
		return;
	struct error *err =
		incident_open(spooler->watch->options->store, header->incident, &spooler->incident);
	if (complain(err)) {
		memset(header->incident, 0, sizeof(header->incident));
		return;
	}
	incident_hold(&spooler->incident);
	spooler->open = spooler->stored = spooler->noticed = spooler->cpu_noticed = true;
	spooler->begun_ns = now_ns();
}

/* Whether this CPU takes no interrupts, or has taken none for longer than they are apart, or knows of one that is so. */
static bool is_deaf(const struct spooler *spooler, uint32_t cpu)
{
	const struct recorder *recorder = &spooler->watch->recorder;
	const struct record_slot *slot = recorder_slot(recorder, cpu);
	struct stall stall;

	for (size_t i = 0; i < RECORD_NR_DEAF; i++)
		if (slot->deaf[i].since_ns)
			return true;
	stall_read(slot, cpu, &stall);
	return stall_state(&stall, now_ns(), recorder->silent_ns / 10) == STALL_SILENT;
}

static bool any_is_deaf(const struct spooler *spooler)
{
	for (uint32_t cpu = 0; cpu < spooler->watch->recorder.nr_cpus; cpu++)
		if (is_deaf(spooler, cpu))
			return true;
	return false;
}

static void gather(struct spooler *spooler, enum gather_folder folder,
		   struct gather_request *request)
{
	if (!spooler->stored)
		return;
	request->folder = folder;
	request->deaf = any_is_deaf(spooler);
	memcpy(request->incident, spooler->incident.id, sizeof(request->incident));
	complain(gatherer_ask(&spooler->gatherer, request));
}

static void add_task(struct gather_request *request, uint32_t cpu, uint32_t pid,
		     const char comm[16])
{
	if (request->nr_stalls == GATHER_MAX_STALLS)
		return;
	struct gather_stall *to = &request->stalls[request->nr_stalls++];
	*to = (struct gather_stall){ .cpu = cpu, .pid = pid };
	memcpy(to->comm, comm, sizeof(to->comm) - 1);
}

static void add_stall(const struct spooler *spooler, const struct stall *stall,
		      struct gather_request *request)
{
	const struct record_slot *slot = recorder_slot(&spooler->watch->recorder, stall->cpu);
	struct record_sample sample = {};

	stall_copy_newest(slot, stall->onset_ns, &sample);
	add_task(request, stall->cpu, sample.pid, sample.comm);
}

/* While a stall is still on nothing is gathered at the end; what was asked for at the onset may not be done yet. */
static void end_gathering(struct spooler *spooler, bool over)
{
	struct gather_request request = {};

	if (over)
		gather(spooler, GATHER_END, &request);
	gatherer_wait(&spooler->gatherer, GATHER_WAIT_NS);
}

static void end_incident(struct spooler *spooler, bool over)
{
	struct record_header *header = recorder_header(&spooler->watch->recorder);

	end_gathering(spooler, over);
	spooler->failed = !spooler->stored;
	spooler->failed |= complain(spool(spooler));
	if (spooler->stored) {
		spooler->failed |= complain(rig_write(&spooler->incident));
		spooler->failed |=
			complain(closing_write(&spooler->incident, over, !spooler->failed));
		fprintf(stderr, "lockdump: incident %s is closed\n", spooler->incident.id);
		incident_close(&spooler->incident);
	}
	memset(header->incident, 0, sizeof(header->incident));
	spooler->open = spooler->stored = spooler->noticed = spooler->cpu_noticed = false;
}

/* A stall past the threshold that was not attended to yet, of @cpu. */
static bool is_new(const struct spooler *spooler, uint32_t cpu, struct stall *ret)
{
	stall_read(recorder_slot(&spooler->watch->recorder, cpu), cpu, ret);
	return ret->onset_ns && ret->onset_ns != spooler->watch->shared->taken[cpu].onset_ns &&
	       stall_is_lockup(ret, spooler->watch->options->threshold_ns);
}

/* One of this incident's that has just come. */
static bool is_untold(const struct spooler *spooler, uint32_t cpu)
{
	uint64_t onset_ns = spooler->stalls[cpu].onset_ns;

	return onset_ns && onset_ns != spooler->watch->shared->taken[cpu].onset_ns;
}

static bool a_cpu_is_new(const struct spooler *spooler)
{
	const struct alarms *alarms = &spooler->alarms;

	for (uint32_t cpu = 0; cpu < spooler->watch->recorder.nr_cpus; cpu++)
		if (is_untold(spooler, cpu))
			return true;
	for (size_t i = 0; i < alarms->count; i++)
		if (alarms->list[i].state == ALARM_NEW &&
		    alarms->list[i].cause.kind == RECORD_KIND_HARD_LOCKUP)
			return true;
	return false;
}

/*
 * Where it stays if the machine does not: once for each incident; and once more if that began with less, and now a CPU is
 * stuck.
 */
static struct error *notice(struct spooler *spooler)
{
	enum outlet to = spooler->watch->options->to;
	bool of_cpu = a_cpu_is_new(spooler);
	struct record record;

	if (!to || spooler->cpu_noticed || (spooler->noticed && !of_cpu))
		return NULL;
	spooler->noticed = true;
	spooler->cpu_noticed = of_cpu;
	copy_record(spooler);
	struct error *err = record_view(spooler->copy, spooler->watch->recorder.size, &record);
	return err ? err : notice_write(&record, now_ns(), to, false);
}

static bool take_up_stalls(struct spooler *spooler, struct gather_request *request)
{
	bool any = false;

	for (uint32_t cpu = 0; cpu < spooler->watch->recorder.nr_cpus; cpu++) {
		struct stall stall;
		if (!is_new(spooler, cpu, &stall))
			continue;
		if (!spooler->open)
			begin_incident(spooler, stall.onset_ns);
		spooler->stalls[cpu] = stall;
		add_stall(spooler, &stall, request);
		any = true;
	}
	return any;
}

static bool take_up_alarms(struct spooler *spooler, struct gather_request *request)
{
	struct alarms *alarms = &spooler->alarms;

	if (!alarms_look(alarms, spooler->watch, now_ns()))
		return false;
	for (size_t i = 0; i < alarms->count; i++) {
		const struct cause *cause = &alarms->list[i].cause;
		if (alarms->list[i].state != ALARM_NEW)
			continue;
		if (!spooler->open)
			begin_incident(spooler, cause->onset_ns);
		if (cause->pid)
			add_task(request, cause->cpu, cause->pid, cause->comm);
	}
	return true;
}

static void tell_what_is_new(struct spooler *spooler)
{
	const struct alarms *alarms = &spooler->alarms;

	for (uint32_t cpu = 0; cpu < spooler->watch->recorder.nr_cpus; cpu++)
		if (is_untold(spooler, cpu))
			tell_stall(spooler, &spooler->stalls[cpu]);
	for (size_t i = 0; i < alarms->count; i++)
		if (alarms->list[i].state == ALARM_NEW)
			tell_alarm(spooler, &alarms->list[i].cause);
}

/*
 * Takes up what is new: all of it is in the record, and what else can be seen is being gathered, before the slow
 * part, the printing, begins.
 */
static void take_up(struct spooler *spooler)
{
	struct gather_request request = {};
	bool any = take_up_stalls(spooler, &request);

	any |= take_up_alarms(spooler, &request);
	if (!any)
		return;
	gather(spooler, GATHER_ONSET, &request);
	tell_what_is_new(spooler);
	tell_metrics(spooler, true);
	complain(notice(spooler));
	if (spooler->stored)
		complain(rig_write(&spooler->incident));
	for (uint32_t cpu = 0; cpu < spooler->watch->recorder.nr_cpus; cpu++) {
		if (!is_untold(spooler, cpu))
			continue;
		tell_facts(spooler, &spooler->stalls[cpu]);
		spooler->watch->shared->taken[cpu].onset_ns = spooler->stalls[cpu].onset_ns;
	}
}

/* Whether any stall of this incident is still on; tells of those that ended. */
static bool stalls_are_on(struct spooler *spooler)
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
		tell_length(spooler, mine);
		if (state_of(spooler, mine) == STALL_ON) {
			on = true;
			continue;
		}
		tell_end(spooler, mine);
		*mine = (struct stall){};
	}
	return on;
}

static bool alarms_are_on(struct spooler *spooler)
{
	struct alarms *alarms = &spooler->alarms;
	bool on = alarms_settle(alarms, now_ns());

	for (size_t i = 0; i < alarms->count; i++) {
		if (alarms->list[i].state != ALARM_OVER)
			continue;
		tell_alarm_end(spooler, &alarms->list[i].cause);
		alarms->list[i].state = ALARM_OLD;
	}
	return on;
}

/* A CPU that was stalled and is deaf now may not have been so for long enough yet to be an alarm. */
static bool a_cpu_is_deaf(const struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;
	const struct cause_wanted deaf = {
		.kinds = 1U << RECORD_KIND_HARD_LOCKUP,
		.silent_ns = recorder->silent_ns,
	};
	struct cause cause;

	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++)
		if (cause_find(recorder_slot(recorder, cpu), cpu, &deaf, now_ns(), &cause))
			return true;
	return false;
}

static bool still_on(struct spooler *spooler)
{
	bool stalls = stalls_are_on(spooler), alarms = alarms_are_on(spooler);

	return stalls || alarms || a_cpu_is_deaf(spooler);
}

bool spooler_attend(struct spooler *spooler)
{
	tell_watching(spooler);
	tell_failure(spooler);
	take_up(spooler);
	if (!spooler->open)
		return false;
	if (!still_on(spooler)) {
		end_incident(spooler, true);
		tell_metrics(spooler, true);
		tell_status(spooler);
		return spooler->watch->options->once;
	}
	if (now_ns() >= spooler->next_spool_ns)
		complain(spool(spooler));
	return false;
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
	tell_metrics(spooler, true);
}

static int next_signal(const struct spooler *spooler, const sigset_t *signals)
{
	uint64_t now = now_ns(), wait_ns = UINT64_MAX;

	if (spooler->open)
		wait_ns = LOOK_INTERVAL_NS;
	else if (spooler->watch->shared->used_up)
		wait_ns = spooler->next_count_ns > now ? spooler->next_count_ns - now : 0;
	if (spooler->hits.recorder && wait_ns > HITS_INTERVAL_NS)
		wait_ns = HITS_INTERVAL_NS;
	if (wait_ns == UINT64_MAX)
		return sigwaitinfo(signals, NULL);
	struct timespec timeout = to_timespec(wait_ns);
	return sigtimedwait(signals, NULL, &timeout);
}

/* Once the triggers are used up, whether the first of them is so long ago now that there is one more. */
static void count_again(struct spooler *spooler)
{
	if (!spooler->watch->shared->used_up || now_ns() < spooler->next_count_ns)
		return;
	budget_check(spooler->watch);
	spooler->next_count_ns = now_ns() + BUDGET_INTERVAL_NS;
}

struct error *spooler_init(const struct watch *watch, struct spooler *ret)
{
	*ret = (struct spooler){
		.watch = watch,
		.incident = { .dirfd = -1 },
		.next_count_ns = now_ns() + BUDGET_INTERVAL_NS,
		.gatherer = { .fd = -1 },
		.stalls = calloc(watch->recorder.nr_cpus, sizeof(*ret->stalls)),
		.slot = calloc(1, sizeof(*ret->slot)),
		.copy = calloc(1, watch->recorder.size),
	};
	if (!ret->stalls || !ret->slot || !ret->copy) {
		spooler_deinit(ret);
		return &error_no_memory;
	}
	if (watch->options->print && watch->probes.count) {
		struct error *err =
			hits_init(&watch->recorder, watch->probes.since_ns, KSYMS_PATH, &ret->hits);
		if (err) {
			spooler_deinit(ret);
			return err;
		}
	}
	take_over_incident(ret);
	return NULL;
}

void spooler_deinit(struct spooler *spooler)
{
	gatherer_stop(&spooler->gatherer);
	incident_close(&spooler->incident);
	hits_deinit(&spooler->hits);
	free(spooler->stalls);
	free(spooler->slot);
	free(spooler->copy);
}

/* The sentry was killed: its incident is left to the watch that takes over, which may be there already. */
static bool is_orphan(const struct spooler *spooler)
{
	const struct record_header *header = recorder_header(&spooler->watch->recorder);

	return getppid() != (pid_t)header->controller_pid;
}

/* Anew if it has ended, but only while nothing stalls. */
static void keep_gatherer(struct spooler *spooler)
{
	if (spooler->gatherer.fd < 0 && !spooler->open)
		complain(gatherer_start(spooler->watch->options->store, "", &spooler->gatherer));
}

static int serve(struct spooler *spooler)
{
	sigset_t signals;

	signals_of_end(&signals);
	sigaddset(&signals, SPOOLER_WAKE);
	for (;;) {
		keep_gatherer(spooler);
		int signal = next_signal(spooler, &signals);
		if (signals_end(signal))
			break;
		answer(spooler);
		complain(hits_print(&spooler->hits, false, stdout));
		count_again(spooler);
		if (spooler_attend(spooler))
			return spooler->failed;
	}
	if (is_orphan(spooler))
		return 1;
	take_up(spooler);
	if (spooler->open)
		end_incident(spooler, false);
	tell_metrics(spooler, false);
	return 0;
}

/* A child of ours that cannot be killed must not keep the recorder in the kernel. */
static void forget_record(const struct spooler *spooler)
{
	const struct recorder *recorder = &spooler->watch->recorder;

	madvise(recorder->record, recorder->size, MADV_DONTFORK);
}

int spooler_run(const struct watch *watch)
{
	struct spooler spooler;
	struct error *err = privilege_cut_spooler(watch->options->store, watch->options->metrics);

	if (!err)
		err = spooler_init(watch, &spooler);
	if (err)
		return error_report(err);
	forget_record(&spooler);
	heap_keep(HEAP_SIZE);
	int status = serve(&spooler);
	complain(hits_print(&spooler.hits, true, stdout));
	spooler_deinit(&spooler);
	return status;
}
