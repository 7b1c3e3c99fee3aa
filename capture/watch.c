// SPDX-License-Identifier: GPL-2.0-only
/* lockdump watch: loads the recorder and divides into the spooler and the sentry. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capture/budget.h"
#include "capture/header.h"
#include "capture/preflight.h"
#include "capture/sentry.h"
#include "capture/spooler.h"
#include "lockdump.h"

/* What an incident takes besides the record: rig.json, and record.bin's other copy while it is replaced. */
#define INCIDENT_REST (1 << 20)

static struct error *check(const struct watch_options *options)
{
	int lock_fd; /* never closed */
	struct error *err = preflight_privilege();

	if (!err)
		err = preflight_alone(WATCH_LOCK, &lock_fd);
	if (!err)
		err = preflight_store(options->store, INCIDENT_REST);
	return err;
}

static struct error *prepare(struct watch *watch)
{
	struct error *err = check(watch->options);

	if (!err)
		err = recorder_start(header_sample_first_ns(watch->options), SAMPLE_INTERVAL_NS,
				     &watch->recorder);
	if (!err)
		err = trigger_open(watch->options, &watch->recorder, &watch->trigger);
	if (!err)
		err = preflight_store(watch->options->store,
				      2 * watch->recorder.size + INCIDENT_REST);
	if (!err)
		err = header_init(&watch->recorder, watch->options);
	if (!err)
		err = shared_create(watch->recorder.nr_cpus, &watch->shared);
	if (!err)
		error_destroy(pins_open(PIN_BPFFS, &watch->pins));
	if (!err)
		err = trigger_attach(&watch->trigger, watch->options, &watch->pins);
	if (!err)
		budget_check(watch);
	return err;
}

/* Both processes wait for their signals; none interrupts anything. */
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SPOOLER_WAKE);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct watch *watch)
{
	pid_t sentry = getpid();

	block_signals();
	fflush(NULL);
	pid_t spooler = fork();
	if (spooler < 0)
		return error_report(error_errno("watch: cannot fork"));
	if (spooler) {
		int status = sentry_run(watch, spooler);
		trigger_close(&watch->trigger, &watch->recorder, &watch->pins);
		return status;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == sentry ? spooler_run(watch) : 1;
}

int cmd_watch(int argc, char **argv)
{
	struct watch_options options;
	struct watch watch = { .options = &options };

	struct error *err = watch_options_parse(argc, argv, CONFIGURATION_FOLDER, &options);
	if (err) {
		error_report(err);
		return 2;
	}
	if (options.help) {
		watch_options_usage(stdout);
		return 0;
	}
	err = prepare(&watch);
	int status = err ? error_report(err) : run(&watch);
	watch_options_deinit(&options);
	return status;
}
