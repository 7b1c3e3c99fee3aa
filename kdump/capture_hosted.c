// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/capture_hosted.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/environment.h"
#include "kdump/hosted.h"
#include "kdump/progress.h"
#include "kdump/run.h"
#include "kdump/saving.h"
#include "lockdump.h"

#define SYNC_LIMIT_S 30

/* --- the worker ------------------------------------------------------------------------ */

/* The rig's own file systems are mounted, where they always are. */
static struct error *look_at_store(void *arg)
{
	const struct capture *capture = arg;

	return access(capture->store, W_OK) ? error_errno("%s", capture->store) : NULL;
}

/* In a child: a disk may be there and answer nothing. */
static struct error *look_within_limit(struct capture *capture)
{
	struct run run = RUN_INIT;

	run.limit_s = capture->config.device_s + MOUNT_LIMIT_S;
	run.echo = true;
	return run_function(&run, look_at_store, capture);
}

static void save(struct capture *capture)
{
	const struct place here = {
		.name = "store",
		.folder = capture->config.store.folder,
		.uuid = "",
		.fs = "",
		.options = "",
		.path = capture->config.store.folder,
		.point = "",
	};

	capture->place = here;
	environment_store_path(&here, capture->store);
	struct error *err = look_within_limit(capture);
	if (!err)
		err = saving_run(capture);
	if (!err)
		return;
	progress("%s: not usable: %s", here.name, err->message);
	error_destroy(err);
	saving_tell(capture);
}

/* Nobody has tried to save the vmcore, or who can do more than reboot if it is not saved goes on. */
static bool is_left_to_host(const struct capture *capture)
{
	const struct findings *found = capture->found;

	return !found->host_saved && (!found->host_tried || capture->config.host_goes_on);
}

/* @arg is when the host has started this. An error: the host is to go on, and no reboot. */
static struct error *work(void *arg)
{
	const double *start_s = arg;
	struct capture capture;
	struct error *err = capture_init(&capture, HOSTED_CONFIG);

	if (err)
		return err;
	run_set_oom_score(OOM_NEVER);
	capture.manifest.capture_start_s = *start_s;
	save(&capture);
	if (is_left_to_host(&capture))
		err = error_create(ERROR_OTHER, "%s goes on", capture.config.with);
	config_deinit(&capture.config);
	return err;
}

/* --- its supervisor -------------------------------------------------------------------- */

static struct error *sync_all(void *arg)
{
	(void)arg;
	sync();
	return NULL;
}

/* How it ended, in @ret if that is asked for. */
static bool supervise_one(const char *name, unsigned int limit_s,
			  struct error *(*function)(void *arg), void *arg, enum run_end *ret)
{
	struct run run = RUN_INIT;

	run.limit_s = limit_s;
	bool done = progress_run(&run, name, function, arg);
	if (ret)
		*ret = run.end;
	return done;
}

/* Returns if the host is to go on. */
static void supervise(const struct config *config)
{
	double start_s = realtime_s();
	enum run_end end;

	if (!supervise_one("failed", config->overall_s, work, &start_s, &end)) {
		/* It came to an end, well or ill: the time is not over. */
		if (end != RUN_TIMEOUT && end != RUN_STUCK)
			return;
		supervise_one("report", config->report_s, saving_tell_anew, (void *)HOSTED_CONFIG,
			      NULL);
	}
	supervise_one("sync", SYNC_LIMIT_S, sync_all, NULL, NULL);
	progress("rebooting");
	environment_reboot(NULL, NULL);
}

int capture_hosted(const char *with)
{
	struct config config;

	if (!hosted_is_due(HOSTED_CONFIG, with, &config))
		return 0;
	umask(077);
	progress("lockdump %s saves what is left, with %s", LOCKDUMP_VERSION, with);
	supervise(&config);
	config_deinit(&config);
	return 1;
}
