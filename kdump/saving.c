// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/saving.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/record.h"
#include "kdump/environment.h"
#include "kdump/hosted.h"
#include "kdump/kept_symbols.h"
#include "kdump/progress.h"
#include "kdump/run.h"
#include "kdump/steps.h"

/* oom_score_adj(5): a step is what can be spared, not who would reboot the machine and write the manifest. */
#define OOM_FIRST 1000

/* Of a crashed kernel whose boot ID nobody has told. */
#define NO_BOOT_ID "00000000"

#define VFAT_FILE_MAX 0xffffffff /* its sizes have 32 bits */

const char *capture_dump_name(const struct capture *capture)
{
	return capture->config.encrypt ? INCIDENT_VMCORE_ENCRYPTED : INCIDENT_VMCORE;
}

const char *capture_boot_id(const struct capture *capture)
{
	return *capture->found->boot_id ? capture->found->boot_id : capture->config.boot_id;
}

#define NOTE_INTERVAL_S 2

/* Called five times a second while a step runs. */
static void watch_step(void *arg)
{
	struct capture *capture = arg;
	unsigned long kb = memory_available_kb();
	char incomplete[32];
	struct stat st;

	snprintf(incomplete, sizeof(incomplete), "%s.incomplete", capture_dump_name(capture));

	if (kb && (!capture->lowest_kb || kb < capture->lowest_kb))
		capture->lowest_kb = kb;
	if (capture->incident.dirfd < 0 || uptime_s() < capture->next_note_s ||
	    fstatat(capture->incident.dirfd, incomplete, &st, AT_SYMLINK_NOFOLLOW))
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
	run.oom_score = OOM_FIRST;
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
	const char *boot_id = capture_boot_id(capture);
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
			      *boot_id ? boot_id : NO_BOOT_ID, incident);
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

static const char *last_outcome(const struct capture *capture)
{
	return capture->manifest.steps[capture->manifest.nr_steps - 1].outcome;
}

/* Takes the vmcore at one level, and reads it back. One that was not proven stays until a better one takes its place. */
static bool try_vmcore(struct capture *capture, unsigned int level)
{
	struct manifest *manifest = &capture->manifest;
	off_t room = store_room(capture->store);
	char why[64];
	struct stat st;

	capture->room = room - ROOM_KEPT;
	if (!strcmp(capture->place.fs, "vfat") && capture->room > VFAT_FILE_MAX)
		capture->room = VFAT_FILE_MAX;
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
	manifest->vmcore_done_s = realtime_s();
	if (!fstatat(capture->incident.dirfd, capture_dump_name(capture), &st, AT_SYMLINK_NOFOLLOW))
		progress("vmcore: %.1f MB, level %u, %s%s", st.st_size / 1e6, level,
			 manifest->compression, manifest->encrypted ? ", encrypted" : "");
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
	capture->manifest.encrypted = capture->config.encrypt;
	memcpy(capture->manifest.makedumpfile, capture->config.makedumpfile,
	       sizeof(capture->manifest.makedumpfile));
	for (int i = 0; i < VMCORE_TRIES; i++)
		if (!try_vmcore(capture, level) || capture->manifest.proven ||
		    !capture->found->has_report || *capture->found->unproven ||
		    !lower_level(&level))
			break;
	return capture->manifest.proven;
}

/* Its own tool does, at its own level; what it gave is proven all the same. @function: how the incident gets it. */
static bool save_by_host(struct capture *capture, struct error *(*function)(void *arg),
			 unsigned int limit_s)
{
	struct manifest *manifest = &capture->manifest;
	const struct config *config = &capture->config;
	const struct findings *found = capture->found;

	memcpy(manifest->compression, config->compression, sizeof(manifest->compression));
	memcpy(manifest->makedumpfile, config->makedumpfile, sizeof(manifest->makedumpfile));
	manifest->dump_level = config->dump_level;
	struct manifest_try *try = manifest_add_try(manifest, config->dump_level);
	bool linked = step(capture, "vmcore", limit_s, function);
	try->outcome = found->host_saved ? "done" : last_outcome(capture);
	if (found->host_saved)
		manifest->vmcore_done_s = realtime_s();
	if (*found->host_dump)
		manifest_explain_step(manifest, "saved by %s: %s", config->with, found->host_dump);
	if (!linked)
		return found->host_saved && *config->host_remote;
	manifest->proven = step(capture, "proof", config->proof_s, step_proof);
	if (!manifest->proven)
		try->outcome = "not proven";
	return manifest->proven;
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

static bool report(struct capture *capture)
{
	const struct incident *incident = &capture->incident;

	if (step(capture, "report", capture->config.report_s, step_report)) {
		capture->manifest.report_done_s = realtime_s();
		return true;
	}
	/* One that can be made, but could not be written. */
	if ((capture->found->has_report || !capture->found->report_begun) &&
	    !incident_has(incident, "report.txt"))
		step(capture, "console", capture->config.report_s, step_report_to_console);
	return false;
}

/* First what is small and says most, as each later step may be the one that never ends. */
struct error *saving_begin(struct capture *capture)
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
	if (!access(capture->symbols, F_OK))
		complete &= step(capture, "kallsyms", config->dmesg_s, step_symbols);
	complete &= report(capture);
	capture->manifest.complete = complete;
	return NULL;
}

static void finish(struct capture *capture, bool has_vmcore)
{
	capture->manifest.complete &= has_vmcore;
	sum_up_memory(capture);
	step(capture, "manifest", capture->config.manifest_s, step_manifest);
	incident_close(&capture->incident);
}

struct error *saving_run(struct capture *capture)
{
	const struct config *config = &capture->config;
	struct error *err = saving_begin(capture);

	if (err)
		return err;
	finish(capture, *config->with ? save_by_host(capture, step_host_vmcore,
						     config->vmcore_s + HOSTED_GRACE_S)
				      : save_vmcore(capture));
	return NULL;
}

void saving_finish(struct capture *capture)
{
	finish(capture, save_by_host(capture, step_host_link, capture->config.dmesg_s));
}

void saving_tell(struct capture *capture)
{
	step(capture, "report", capture->config.report_s, step_report_to_console);
}

/* --- before and after ---------------------------------------------------------------- */

/* What a proof takes where the vmcore cannot be read back. Without it there is none, and no more is lost. */
static void prepare_proof(struct capture *capture)
{
	capture->kept = memfd_create("kept", MFD_CLOEXEC);
	capture->log = mmap(NULL, sizeof(*capture->log), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (capture->log == MAP_FAILED)
		capture->log = NULL;
}

struct error *capture_init(struct capture *capture, const char *path)
{
	*capture = (struct capture){
		.incident.dirfd = -1,
		.manifest.trigger_cpu = -1,
		.kept = -1,
		.symbols = strcmp(path, HOSTED_CONFIG) ? KEPT_SYMBOLS_PATH : HOSTED_SYMBOLS,
	};
	capture->found = mmap(NULL, sizeof(*capture->found), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct error *err = capture->found == MAP_FAILED ? error_errno("shared memory")
							 : config_read(path, &capture->config);
	if (!err && capture->config.encrypt)
		prepare_proof(capture);
	return err;
}

struct error *saving_tell_anew(void *path)
{
	struct capture capture;
	struct error *err = capture_init(&capture, path);

	error_destroy(err); /* the configuration has nothing that this takes */
	return capture.found == MAP_FAILED ? NULL : step_report_to_console(&capture);
}
