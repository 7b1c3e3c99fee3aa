// SPDX-License-Identifier: GPL-2.0-only
/*
 * lockdump capture: pid 1 of the capture kernel. Three layers of processes: pid 1 only
 * waits and reboots, come what may; a worker knows the order of things; each step is
 * a child of the worker that may crash or hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/record.h"
#include "kdump/capture.h"
#include "kdump/environment.h"
#include "kdump/kept_symbols.h"
#include "kdump/progress.h"
#include "kdump/run.h"
#include "kdump/steps.h"
#include "lockdump.h"

#define UNMOUNT_LIMIT_S 30
#define NOTE_INTERVAL_S 2
#define ROOM_KEPT \
	(16 << 20) /* of the store: for the report, the manifest, and the rig after the boot */

static double realtime_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Called five times a second while a step runs. */
static void watch_step(void *arg)
{
	struct capture *capture = arg;
	unsigned long kb = memory_available_kb();
	struct stat st;

	if (kb && (!capture->lowest_kb || kb < capture->lowest_kb))
		capture->lowest_kb = kb;
	if (capture->incident.dirfd < 0 || uptime_s() < capture->next_note_s ||
	    fstatat(capture->incident.dirfd, "vmcore.incomplete", &st, AT_SYMLINK_NOFOLLOW))
		return;
	capture->next_note_s = uptime_s() + NOTE_INTERVAL_S;
	progress("vmcore: %.0f MB written", st.st_size / 1e6);
}

static const char *outcome_of(const struct run *run, const struct error *err)
{
	if (!err)
		return "done";
	return run->end == RUN_TIMEOUT || run->end == RUN_STUCK ? "timeout" : "failed";
}

/* Runs one step in a child, notes how it went, and returns whether it was done. */
static bool step(struct capture *capture, const char *name, unsigned int limit_s,
		 struct error *(*function)(void *arg))
{
	struct run run = RUN_INIT;

	run.limit_s = limit_s;
	run.tick = watch_step;
	run.tick_arg = capture;
	run.echo = function == step_vmcore || function == step_report_to_console;
	struct error *err = run_function(&run, function, capture);
	const char *outcome = function == step_record && err && capture->found->no_record
				      ? "skipped"
				      : outcome_of(&run, err);
	manifest_add_step(&capture->manifest, name, run.seconds, outcome,
			  err ? err->message : NULL);
	if (err)
		progress("%s: %s: %s", name, outcome, err->message);
	else
		progress("%s: done in %.1f s", name, run.seconds);
	bool done = !err;
	error_destroy(err);
	return done;
}

static void skip(struct capture *capture, const char *name, const char *why)
{
	manifest_add_step(&capture->manifest, name, 0, "skipped", why);
	progress("%s: skipped: %s", name, why);
}

/* The incident that step_record() found or made; else a new one, named for the crash. */
static struct error *open_incident(struct capture *capture)
{
	const struct findings *found = capture->found;
	struct incident *incident = &capture->incident;
	struct error *err = NULL;

	if (found->incident[0]) {
		err = incident_open(capture->store, found->incident, incident);
		if (!err)
			return NULL;
		progress("%s", err->message);
		error_destroy(err);
	}
	err = incident_create(capture->store,
			      found->crash_s ? found->crash_s : capture->manifest.capture_start_s,
			      capture->config.boot_id, incident);
	if (err)
		incident->dirfd = -1;
	return err;
}

static void describe_crash(struct capture *capture)
{
	static const char *const by[] = {
		[RECORD_FIRED_NONE] = "panic",
		[RECORD_FIRED_SYSRQ] = "sysrq",
		[RECORD_FIRED_KERNEL] = "kernel",
	};
	const struct findings *found = capture->found;
	struct manifest *manifest = &capture->manifest;

	memcpy(manifest->id, capture->incident.id, sizeof(manifest->id));
	memcpy(manifest->kernel, capture->config.release, sizeof(manifest->kernel));
	memcpy(manifest->rig, capture->config.rig, sizeof(manifest->rig));
	manifest->onset_s = found->onset_s;
	manifest->trigger_s = found->trigger_s ? found->trigger_s : found->crash_s;
	manifest->reserved_kb = capture->config.reserved_kb;
	manifest->drill = found->drill;
	/* Whatever was not lockdump was a panic: nothing else starts a crash kernel. */
	manifest->trigger_by = by[RECORD_FIRED_NONE];
	if (found->fired_by == RECORD_FIRED_NONE || found->fired_by >= sizeof(by) / sizeof(by[0]))
		return;
	manifest->trigger_by = by[found->fired_by];
	manifest->trigger_cpu = found->fired_cpu;
	snprintf(manifest->trigger_reason, sizeof(manifest->trigger_reason), "%.*s",
		 (int)sizeof(found->fired_reason), found->fired_reason);
}

static off_t room_in(const char *store)
{
	struct statvfs st;

	if (statvfs(store, &st))
		return 0;
	return (off_t)st.f_bavail * st.f_frsize;
}

static const char *last_outcome(const struct capture *capture)
{
	return capture->manifest.steps[capture->manifest.nr_steps - 1].outcome;
}

/* Takes the vmcore at one level, and reads it back. One that was not proven stays until a better one takes its place. */
static bool try_vmcore(struct capture *capture, unsigned int level)
{
	struct manifest *manifest = &capture->manifest;
	off_t room = room_in(capture->store);
	char why[64];
	struct stat st;

	capture->room = room - ROOM_KEPT;
	if (capture->room <= ROOM_KEPT) {
		snprintf(why, sizeof(why), "no room: %.1f MB are free", room / 1e6);
		skip(capture, "vmcore", why);
		return false;
	}
	struct manifest_try *try = manifest_add_try(manifest, level);
	capture->config.dump_level = level;
	bool saved = step(capture, "vmcore", capture->config.vmcore_s, step_vmcore);
	try->outcome = last_outcome(capture);
	if (saved || !manifest->vmcore_done_s)
		manifest->dump_level = level;
	if (!saved)
		return false;
	manifest->vmcore_done_s = realtime_now_s();
	if (!fstatat(capture->incident.dirfd, "vmcore", &st, AT_SYMLINK_NOFOLLOW))
		progress("vmcore: %.1f MB, level %u, %s", st.st_size / 1e6, level,
			 manifest->compression);
	manifest->proven = step(capture, "proof", capture->config.proof_s, step_proof);
	if (!manifest->proven)
		try->outcome = "not proven";
	return true;
}

/*
 * On kernels that it does not know, makedumpfile's bit 8 (user data) takes slab pages with it, and so
 * tasks: 1.7.2 does on 6.12 and 7.2. Without it the dump is hardly larger; with nothing but
 * zero pages left out, it is as large as can be, but nothing can have gone wrong.
 */
static bool lower_level(unsigned int *level)
{
	if (*level & 8)
		*level &= ~8u;
	else if (*level > 1)
		*level = 1;
	else
		return false;
	return true;
}

static bool save_vmcore(struct capture *capture)
{
	unsigned int level = capture->config.dump_level;

	memcpy(capture->manifest.compression, capture->config.compression,
	       sizeof(capture->manifest.compression));
	for (int i = 0; i < VMCORE_TRIES; i++)
		if (!try_vmcore(capture, level) || capture->manifest.proven ||
		    !capture->found->has_report || !lower_level(&level))
			break;
	return capture->manifest.proven;
}

static void sum_up_memory(struct capture *capture)
{
	struct manifest *manifest = &capture->manifest;

	watch_step(capture);
	if (manifest->reserved_kb > capture->lowest_kb && capture->lowest_kb)
		manifest->peak_kb = manifest->reserved_kb - capture->lowest_kb;
	progress("memory: %lu of %lu MB were needed", manifest->peak_kb / 1024,
		 manifest->reserved_kb / 1024);
}

/* The order: first what is small and says most, as each later step may be the one that never ends. */
static struct error *save(struct capture *capture)
{
	const struct config *config = &capture->config;
	bool complete =
		step(capture, "record", config->record_s, step_record) || capture->found->no_record;
	struct error *err = open_incident(capture);

	if (err)
		return err;
	progress("incident: %s", capture->incident.id);
	if (!incident_has(&capture->incident, "rig.json"))
		complete &= step(capture, "rig", config->dmesg_s, step_rig);
	complete &= step(capture, "dmesg", config->dmesg_s, step_dmesg);
	describe_crash(capture);
	if (!access(KEPT_SYMBOLS_PATH, F_OK))
		complete &= step(capture, "kallsyms", config->dmesg_s, step_symbols);
	if (step(capture, "report", config->report_s, step_report))
		capture->manifest.report_done_s = realtime_now_s();
	else
		complete = false;
	complete &= save_vmcore(capture);
	capture->manifest.complete = complete;
	sum_up_memory(capture);
	step(capture, "manifest", config->manifest_s, step_manifest);
	incident_close(&capture->incident);
	return NULL;
}

static struct error *unmount(void *arg)
{
	(void)arg;
	return environment_unmount_store();
}

/* The worker. @arg is the time when this kernel's pid 1 began. */
static struct error *work(void *arg)
{
	struct capture capture = { .incident.dirfd = -1 };
	struct error *err = config_read(CONFIG_PATH, &capture.config);

	if (err)
		return err;
	capture.manifest.capture_start_s = *(double *)arg;
	capture.manifest.trigger_cpu = -1;
	capture.found = mmap(NULL, sizeof(*capture.found), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (capture.found == MAP_FAILED)
		return error_errno("shared memory");
	err = environment_mount_store(&capture.config, capture.store);
	if (!err)
		err = save(&capture);
	if (err) {
		/* The console, and what listens there, is all that is left to tell. */
		progress("store: not usable: %s", err->message);
		error_destroy(err);
		step(&capture, "report", capture.config.report_s, step_report_to_console);
	}
	config_deinit(&capture.config);
	return NULL;
}

/* Takes orphans away, but not the worker, whom run_function() waits for. */
static void reap(void *arg)
{
	const struct run *run = arg;
	siginfo_t info;

	while (info.si_pid = 0, !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) &&
					info.si_pid && info.si_pid != run->pid)
		waitpid(info.si_pid, NULL, WNOHANG);
}

static unsigned int overall_limit(void)
{
	struct config config;
	struct error *err = config_read(CONFIG_PATH, &config);

	if (err) {
		error_destroy(err);
		config_init(&config);
	}
	unsigned int limit_s = config.overall_s;
	config_deinit(&config);
	return limit_s;
}

static void supervise(void)
{
	struct run worker = RUN_INIT, unmounter = RUN_INIT;
	double start_s = realtime_now_s();

	worker.limit_s = overall_limit();
	worker.echo = true;
	worker.tick = reap;
	worker.tick_arg = &worker;
	struct error *err = run_function(&worker, work, &start_s);
	if (err)
		progress("failed: %s", err->message);
	error_destroy(err);

	unmounter.limit_s = UNMOUNT_LIMIT_S;
	err = run_function(&unmounter, unmount, NULL);
	if (err)
		progress("unmount: %s", err->message);
	error_destroy(err);
	progress("rebooting");
	environment_reboot();
}

static const char capture_help[] =
	"Usage: lockdump capture\n"
	"Saves report, record and vmcore of the kernel that crashed, then reboots. It is the first process\n"
	"of the capture kernel that 'lockdump arm' has loaded, and is of no use elsewhere.\n";

int cmd_capture(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(capture_help, stdout);
		return 0;
	}
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
