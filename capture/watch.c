// SPDX-License-Identifier: GPL-2.0-only
/* lockdump watch: loads the recorder and divides into the spooler and the sentry. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capture/budget.h"
#include "capture/clock.h"
#include "capture/follower.h"
#include "capture/header.h"
#include "capture/legacy.h"
#include "capture/pin.h"
#include "capture/preflight.h"
#include "capture/sentry.h"
#include "capture/signals.h"
#include "capture/spooler.h"
#include "lockdump.h"
#include "state/stall.h"
#include "symbols/ksyms.h"

/* What an incident takes besides the record, and its other copy while it is replaced: what was gathered, rig.json. */
#define INCIDENT_REST  (4 << 20)
#define MMAP_THRESHOLD (128 << 10) /* bytes: where it begins */

static struct error *check(const struct watch_options *options, struct probes *probes,
			   int *ret_lock_fd)
{
	struct error *err = preflight_privilege();

	if (!err)
		err = preflight_alone(WATCH_LOCK, ret_lock_fd);
	if (!err)
		err = preflight_store(options->store, INCIDENT_REST);
	if (!err && options->to)
		err = error_prefix(outlet_check(options->to, ""), "watch: --to");
	if (!err)
		err = probes_find(&options->probes, KSYMS_PATH, probes);
	return err;
}

static void warn_unpinned(struct error *err)
{
	if (err)
		error_report(error_prefix(err, "watch: if it is killed the record ends with it"));
}

/* The record and its programs from now on do not end with this process, unless it ends as it should. */
static struct error *pin(struct watch *watch)
{
	struct error *err = recorder_pin(&watch->recorder, &watch->pins);

	if (err) {
		pin_remove(&watch->pins, PIN_RECORD);
		pin_remove_all(&watch->pins, PIN_HOOK);
	}
	if (err && watch->trigger.by_kernel)
		return error_prefix(err, "--trigger: it must not end with this process");
	if (!err)
		probes_pin(&watch->probes, &watch->pins);
	/* What this process has attached itself it has open. */
	if (!watch->recorder.bpf)
		pin_hold(&watch->pins, PIN_HOOK);
	pin_hold(&watch->pins, PIN_TRIGGER);
	pin_hold(&watch->pins, PIN_PROBE);
	warn_unpinned(err);
	return NULL;
}

/* The number of the last one that the watch before could look at, when it last ran. */
static uint64_t last_event_before(const struct record_slot *slot, uint64_t time_ns)
{
	uint64_t last = 0;

	for (size_t i = 0; i < RECORD_NR_EVENTS; i++) {
		struct record_event event;
		stall_copy_event(&slot->events[i], &event);
		if (event.number == event.number_end && event.time_ns <= time_ns &&
		    event.number > last)
			last = event.number;
	}
	return last;
}

/* What the watch before has attended to is not attended to again; what goes on is. */
static void take_over(const struct watch *watch)
{
	const struct recorder *recorder = &watch->recorder;

	fprintf(stderr, "lockdump: takes over the record of the watch before, pid %u%s%s\n",
		recorder->before.controller_pid, recorder->bpf ? "" : ", and its programs",
		recorder->stuck ? ", as a CPU is stuck" : "");
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++) {
		struct stall stall;
		stall_read(recorder_slot(recorder, cpu), cpu, &stall);
		if (stall_state(&stall, now_ns(), recorder->silent_ns) != STALL_ON &&
		    legacy_attended(&recorder->before, stall.onset_ns))
			watch->shared->taken[cpu].onset_ns = stall.onset_ns;
		watch->shared->taken[cpu].event = last_event_before(recorder_slot(recorder, cpu),
								    recorder->before.heartbeat_ns);
	}
}

static struct error *start_recorder(struct watch *watch)
{
	const struct watch_options *options = watch->options;
	struct legacy legacy;
	struct error *err =
		legacy_find(&watch->pins, options->store, options->threshold_ns, &legacy);

	if (err)
		return error_prefix(err, "watch");
	struct recorder_settings settings = {
		.sample_first_ns = header_sample_first_ns(options),
		.sample_interval_ns = SAMPLE_INTERVAL_NS,
		.locks = options->locks,
	};
	memcpy(settings.condition_after_ns, options->threshold_for.ns,
	       sizeof(settings.condition_after_ns));
	err = recorder_start(&settings, &watch->pins, &legacy, &watch->recorder);
	legacy_deinit(&legacy);
	return err;
}

/* Those of the configuration may be for another kernel: they do not keep anybody from watching. */
static struct error *attach_probes(struct watch *watch)
{
	struct error *err = probes_attach(&watch->probes, &watch->recorder, &watch->pins);

	if (!err || !watch->options->probes.optional)
		return err;
	error_report(error_prefix(err, "watch: Probe= is left out"));
	watch->probes.count = 0;
	return probes_attach(&watch->probes, &watch->recorder, &watch->pins);
}

/* All that comes after the recorder. */
static struct error *prepare(struct watch *watch)
{
	struct error *err =
		trigger_open(watch->options, &watch->recorder, &watch->pins, &watch->trigger);

	if (!err)
		err = preflight_store(watch->options->store,
				      2 * watch->recorder.size + INCIDENT_REST);
	if (!err)
		err = header_init(&watch->recorder, watch->options);
	if (!err)
		err = shared_create(watch->recorder.nr_cpus, &watch->shared);
	if (!err)
		err = attach_probes(watch);
	if (!err)
		err = trigger_attach(&watch->trigger, watch->options, &watch->recorder,
				     &watch->pins);
	if (!err && watch->recorder.taken_over)
		take_over(watch);
	if (!err)
		err = pin(watch);
	if (!err)
		budget_check(watch);
	return err;
}

/*
 * Both processes wait for their signals; none interrupts anything. To be called before anything is pinned: who is asked to
 * end in the meantime takes it away again.
 */
static void block_signals(void)
{
	sigset_t signals;

	signals_of_end(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SPOOLER_WAKE);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(const struct watch *watch)
{
	pid_t sentry = getpid();

	fflush(NULL);
	malloc_trim(0); /* what loading BPF has left neither of them needs */
	pid_t spooler = fork();
	if (spooler < 0) {
		struct error *err = error_errno("watch: cannot fork");
		trigger_close(&watch->trigger, &watch->recorder);
		pins_destroy(&watch->pins);
		budget_end(watch->options);
		return error_report(err);
	}
	if (spooler) {
		int status = sentry_run(watch, spooler);
		budget_end(watch->options);
		return status;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == sentry ? spooler_run(watch) : 1;
}

/* Where the recorder cannot be had, what is left is done. */
static struct error *watch_by_what_there_is(struct watch *watch, int *ret)
{
	struct error *unpinned = pins_open(PIN_BPFFS, &watch->pins);
	struct error *err = start_recorder(watch);

	if (err && watch->probes.count && !watch->options->probes.optional) {
		error_destroy(unpinned);
		return error_prefix(err, "--probe");
	}
	if (err) {
		error_destroy(unpinned);
		error_report(err);
		return follower_run(watch, ret);
	}
	warn_unpinned(unpinned);
	block_signals();
	err = prepare(watch);
	if (!err)
		*ret = run(watch);
	else if (!watch->recorder.taken_over) /* all that is pinned is ours */
		pins_destroy(&watch->pins);
	return err;
}

int cmd_watch(int argc, char **argv)
{
	struct watch_options options;
	struct watch watch = { .options = &options };
	int status, lock_fd = -1;

	struct error *err = watch_options_parse(argc, argv, CONFIGURATION_FOLDER, &options);
	if (err) {
		error_report(err);
		return 2;
	}
	if (options.help) {
		watch_options_usage(stdout);
		return 0;
	}
	/* Else glibc raises it to what loading BPF has freed, and the heap has holes of that size. */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	journal_init(JOURNAL_SOCKET, &watch.journal);
	err = notify_init(&watch.notify);
	if (err) /* worth a line, but not the watch */
		error_report(err);
	err = check(&options, &watch.probes, &lock_fd);
	if (!err)
		err = watch_by_what_there_is(&watch, &status);
	if (err)
		status = error_report(err);
	/* Another may come, though a thread of ours that is bound to a stuck CPU cannot end yet. */
	if (lock_fd >= 0)
		close(lock_fd);
	watch_options_deinit(&options);
	return status;
}
