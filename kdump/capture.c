// SPDX-License-Identifier: GPL-2.0-only
/*
 * lockdump capture: pid 1 of the capture kernel. Three layers of processes: pid 1 only
 * waits and reboots, come what may; a worker knows the order of things; each step is
 * a child of the worker that may crash or hang.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/usage.h"
#include "kdump/capture_hooks.h"
#include "kdump/capture_hosted.h"
#include "kdump/cmdline.h"
#include "kdump/environment.h"
#include "kdump/progress.h"
#include "kdump/rooted.h"
#include "kdump/run.h"
#include "kdump/saving.h"
#include "kdump/watchdog.h"
#include "kdump/with.h"
#include "lockdump.h"

#define UNMOUNT_LIMIT_S 30
#define MODULES_LIMIT_S 60

/* --- the worker ------------------------------------------------------------------------ */

static struct error *unmount(void *arg)
{
	return environment_unmount_stores(arg);
}

static struct error *load_modules(void *arg)
{
	const struct config *config = arg;

	environment_load_modules(&config->modules);
	return NULL;
}

static struct error *mount_store(void *arg)
{
	const struct capture *capture = arg;

	return environment_mount_store(&capture->place, capture->config.device_s);
}

/* In a child: a disk may be there and answer nothing. */
static struct error *mount_within_limit(struct capture *capture)
{
	struct run run = RUN_INIT;

	run.limit_s = capture->config.device_s + MOUNT_LIMIT_S;
	run.echo = true;
	environment_store_path(&capture->place, capture->store);
	return run_function(&run, mount_store, capture);
}

/* False: nothing could be saved there. */
static bool save_in(struct capture *capture, const struct place *place)
{
	double start_s = uptime_s();

	capture->place = *place;
	memset(capture->found, 0, sizeof(*capture->found));
	struct error *err = mount_within_limit(capture);
	if (!err)
		err = saving_run(capture);
	if (!err)
		return true;
	manifest_add_step(&capture->manifest, place->name, uptime_s() - start_s, "failed",
			  err->message);
	progress("%s: not usable: %s", place->name, err->message);
	error_destroy(err);
	return false;
}

static void save_somewhere(struct capture *capture)
{
	struct place places[MAX_PLACES];
	unsigned int count = config_places(&capture->config, places);

	for (unsigned int i = 0; i < count; i++)
		if (save_in(capture, &places[i]))
			return;
	/* The console, and what listens there, is all that is left to tell. */
	saving_tell(capture);
}

/* The initramfs, and so the configuration, is the same in each boot. */
static void read_boot_id(struct config *config)
{
	char line[4096];

	if (rooted_line("", "/proc/cmdline", line, sizeof(line)))
		cmdline_boot_id(line, config->boot_id);
}

/* @arg is when this kernel's pid 1 began. */
static struct error *work(void *arg)
{
	const double *start_s = arg;
	struct capture capture;
	struct error *err = capture_init(&capture, CONFIG_PATH);

	if (err)
		return err;
	run_set_oom_score(OOM_NEVER);
	read_boot_id(&capture.config);
	capture.manifest.capture_start_s = *start_s;
	save_somewhere(&capture);
	config_deinit(&capture.config);
	return NULL;
}

/* --- pid 1 ----------------------------------------------------------------------------- */

/* Takes orphans away, but not the worker, whom run_function() waits for. */
static void reap(void *arg)
{
	const struct run *run = arg;
	siginfo_t info;

	while (info.si_pid = 0, !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) &&
					info.si_pid && info.si_pid != run->pid)
		waitpid(info.si_pid, NULL, WNOHANG);
}

/* Pid 1's own: it waits for one child at a time. */
struct supervisor {
	struct config config;
	struct watchdogs watchdogs;
	struct run run;
};

static void supervise_tick(void *arg)
{
	struct supervisor *supervisor = arg;

	reap(&supervisor->run);
	watchdogs_feed(&supervisor->watchdogs);
}

static void feed(void *arg)
{
	watchdogs_feed(arg);
}

/* One after the other, and whatever becomes of them. */
static bool supervise_one(struct supervisor *supervisor, const char *name, unsigned int limit_s,
			  struct error *(*function)(void *arg), void *arg)
{
	supervisor->run = (struct run)RUN_INIT;
	supervisor->run.limit_s = limit_s;
	supervisor->run.tick = supervise_tick;
	supervisor->run.tick_arg = supervisor;
	return progress_run(&supervisor->run, name, function, arg);
}

static void supervise(void)
{
	static struct supervisor supervisor;
	double start_s = realtime_s();
	struct error *err = config_read(CONFIG_PATH, &supervisor.config);

	if (err) {
		error_destroy(err);
		config_init(&supervisor.config);
	}
	const struct config *config = &supervisor.config;
	watchdogs_init(&config->watchdogs, &supervisor.watchdogs);
	supervise_one(&supervisor, "modules", MODULES_LIMIT_S, load_modules, &supervisor.config);
	if (!supervise_one(&supervisor, "failed", config->overall_s, work, &start_s))
		supervise_one(&supervisor, "report", config->report_s, saving_tell_anew,
			      (void *)CONFIG_PATH);
	supervise_one(&supervisor, "unmount", UNMOUNT_LIMIT_S, unmount, &supervisor.config);
	progress("rebooting");
	environment_reboot(feed, &supervisor.watchdogs);
}

static const char capture_help[] =
	"Usage: lockdump capture\n"
	"Saves report, record and vmcore of the kernel that crashed, then reboots. It is the first process\n"
	"of the capture kernel that 'lockdump arm' has loaded, and is of no use elsewhere.\n"
	"\n"
	"      --with kdump-tools  the same inside the capture kernel of 'lockdump arm --with kdump-tools',\n"
	"                          where 'kdump-config savecore' saves the vmcore. Does nothing without a crash\n"
	"      --with kdump-utils --begin\n"
	"                          the same inside that of 'lockdump arm --with kdump-utils', before it saves the\n"
	"                          vmcore: all but that. Always exits with 0\n"
	"      --with kdump-utils --finish STATUS\n"
	"                          the rest of it, afterwards; STATUS is 0 if the vmcore was saved\n"
	"      --help              print this\n";

static int capture_as_pid_1(void)
{
	if (getpid() != 1 || access(CONFIG_PATH, R_OK))
		return error_report(error_create(
			ERROR_OTHER,
			"capture: this is no capture kernel; 'lockdump arm' loads one, "
			"and a crash starts it"));
	environment_init();
	progress("lockdump %s saves what is left", LOCKDUMP_VERSION);
	supervise();
	return 1;
}

struct capture_options {
	const char *with; /* NULL: lockdump's own */
	bool begin;
	const char *finish; /* the host's exit status */
};

static int run_hook(const struct capture_options *options)
{
	const struct host *host = with_find_host(options->with);
	char *rest;

	if (!host || !host->takes_config)
		return usage_error("capture", "--begin and --finish are for --with kdump-utils");
	if (options->begin)
		return capture_begin(options->with);
	long status = strtol(options->finish, &rest, 10);
	if (!*options->finish || *rest || status < 0 || status > 255)
		return usage_error("capture", "--finish '%s': not an exit status", options->finish);
	return capture_finish(options->with, status);
}

static int run_capture(const struct capture_options *options)
{
	if (!options->with)
		return options->begin || options->finish
			       ? usage_error("capture", "--begin and --finish take --with, too")
			       : capture_as_pid_1();
	if (options->begin && options->finish)
		return usage_error("capture", "--begin and --finish are not for one time");
	if (options->begin || options->finish)
		return run_hook(options);
	const struct host *host = with_find_host(options->with);
	if (host && host->takes_config)
		return usage_error("capture", "--with %s: at --begin, or at --finish?",
				   options->with);
	return capture_hosted(options->with);
}

int cmd_capture(int argc, char **argv)
{
	enum { OPTION_WITH = 256, OPTION_BEGIN, OPTION_FINISH, OPTION_HELP };
	static const struct option longopts[] = {
		{ "with", required_argument, NULL, OPTION_WITH },
		{ "begin", no_argument, NULL, OPTION_BEGIN },
		{ "finish", required_argument, NULL, OPTION_FINISH },
		{ "help", no_argument, NULL, OPTION_HELP },
		{},
	};
	struct capture_options options = { 0 };

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", longopts, NULL)) >= 0;) {
		switch (c) {
		case OPTION_WITH:
			options.with = optarg;
			break;
		case OPTION_BEGIN:
			options.begin = true;
			break;
		case OPTION_FINISH:
			options.finish = optarg;
			break;
		case OPTION_HELP:
			fputs(capture_help, stdout);
			return 0;
		default:
			return usage_bad_option(argv, c);
		}
	}
	if (optind < argc)
		return usage_error(argv[0], "unexpected argument '%s'", argv[optind]);
	return run_capture(&options);
}
