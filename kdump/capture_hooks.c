// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/capture_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/begun.h"
#include "kdump/hosted.h"
#include "kdump/kdump_conf.h"
#include "kdump/progress.h"
#include "kdump/run.h"
#include "kdump/saving.h"
#include "lockdump.h"

/* Where an incident is made that goes to another machine. */
#define MEMORY_STORE BEGUN_FOLDER "/store"

#define SEND_LIMIT_S 120

/* --- where it goes --------------------------------------------------------------------- */

/* kdump.sh would do the same a moment later. */
static struct error *make_writable(const char *point)
{
	struct run run = RUN_INIT;
	bool read_only = false;
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	if (!mounts)
		return error_errno("/proc/self/mounts");
	/* The last one is on top. */
	for (struct mntent *mount; (mount = getmntent(mounts));)
		if (!strcmp(mount->mnt_dir, point))
			read_only = hasmntopt(mount, "ro");
	endmntent(mounts);
	if (!read_only)
		return NULL;
	run.limit_s = MOUNT_LIMIT_S;
	return run_program(&run, (const char *[]){ "mount", "-o", "remount,rw", point, NULL });
}

static struct error *make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0755) && errno != EEXIST)
		return error_errno("%s", path);
	if (stat(path, &st))
		return error_errno("%s", path);
	return S_ISDIR(st.st_mode) ? NULL : error_create(ERROR_OTHER, "%s: not a folder", path);
}

/* What was not mounted with the others is in /etc/fstab, at least. */
static struct error *mount_target(const struct kdump_conf *conf)
{
	struct run run = RUN_INIT;

	run.limit_s = MOUNT_LIMIT_S;
	run.group = true;
	return run_program(&run, (const char *[]){ "mount", conf->target, NULL });
}

/* In a child: a disk, and a server even more so, may be there and answer nothing. */
static struct error *prepare_folder(void *arg)
{
	const struct kdump_conf *conf = arg;
	char folder[PATH_MAX], point[PATH_MAX];
	struct error *err = kdump_conf_folder(conf, "", folder, point);

	if (err && err->class == ERROR_NOT_FOUND && conf->kind == KDUMP_TARGET_MOUNT) {
		error_destroy(err);
		err = mount_target(conf);
		if (!err)
			err = kdump_conf_folder(conf, "", folder, point);
	}
	if (!err && *point)
		err = make_writable(point);
	return err ? err : make_folder(folder);
}

static struct error *find_folder(struct kdump_conf *conf, struct capture *capture)
{
	struct run run = RUN_INIT;

	run.limit_s = capture->config.device_s + MOUNT_LIMIT_S;
	run.echo = true;
	struct error *err = run_function(&run, prepare_folder, conf);
	if (!err)
		err = kdump_conf_folder(conf, "", capture->host_dir, NULL);
	snprintf(capture->store, sizeof(capture->store), "%s", capture->host_dir);
	return err;
}

static struct error *find_memory(struct capture *capture)
{
	snprintf(capture->store, sizeof(capture->store), "%s", MEMORY_STORE);
	struct error *err = make_folder(BEGUN_FOLDER);

	return err ? err : make_folder(MEMORY_STORE);
}

static struct error *find_store(struct kdump_conf *conf, struct capture *capture)
{
	return conf->kind == KDUMP_TARGET_SSH ? find_memory(capture) : find_folder(conf, capture);
}

/* --- to another machine ---------------------------------------------------------------- */

/* scp takes an IPv6 address in brackets, ssh does not. */
static void name_remote(const struct kdump_conf *conf, char *ret, size_t size)
{
	const char *at = strchr(conf->target, '@');
	const char *address = at ? at + 1 : conf->target;
	bool is_ipv6 = strchr(address, ':');

	snprintf(ret, size, "%.*s%s%s%s:%s/", (int)(address - conf->target), conf->target,
		 is_ipv6 ? "[" : "", address, is_ipv6 ? "]" : "", conf->path);
}

/* The incident @id to the host's folder there, by the key that the host has. */
static struct error *send(const struct kdump_conf *conf, const char *id)
{
	char from[PATH_MAX], to[PATH_MAX + 512];
	struct run run = RUN_INIT;

	snprintf(from, sizeof(from), MEMORY_STORE "/%s", id);
	name_remote(conf, to, sizeof(to));
	run.limit_s = SEND_LIMIT_S;
	run.group = true;
	struct error *err =
		run_program(&run, (const char *[]){ "scp", "-q", "-r", "-i", conf->sshkey, "-o",
						    "BatchMode=yes", "-o",
						    "StrictHostKeyChecking=yes", from, to, NULL });
	if (!err)
		progress("sent to %s", to);
	return error_prefix(err, "scp");
}

/* --- before ---------------------------------------------------------------------------- */

/* By the clock that the host's dump will have its time of. */
static void note_time(struct capture *capture)
{
	struct stat st;

	if (!fstat(capture->incident.dirfd, &st))
		capture->host_since = st.st_mtime;
}

static void note_begun(const struct capture *capture)
{
	struct error *err = begun_write("", capture);

	if (err)
		progress("%s", err->message);
	error_destroy(err);
}

static struct error *save(struct kdump_conf *conf, struct capture *capture)
{
	struct error *err = find_store(conf, capture);

	if (!err)
		err = saving_begin(capture);
	if (err)
		return err;
	note_time(capture);
	return conf->kind == KDUMP_TARGET_SSH ? send(conf, capture->incident.id) : NULL;
}

/* @arg is when the host has started this. */
static struct error *begin(void *arg)
{
	const double *start_s = arg;
	struct kdump_conf conf;
	struct capture capture;
	struct error *err = capture_init(&capture, HOSTED_CONFIG);

	if (err)
		return err;
	run_set_oom_score(OOM_NEVER);
	capture.manifest.capture_start_s = *start_s;
	capture.place = (struct place){ .name = "store", .folder = capture.config.store.folder };
	/* From here on it is not tried again. */
	note_begun(&capture);
	err = kdump_conf_read("", &conf);
	if (!err)
		err = save(&conf, &capture);
	if (err) {
		progress("store: not usable: %s", err->message);
		error_destroy(err);
		saving_tell(&capture);
	}
	note_begun(&capture);
	config_deinit(&capture.config);
	return NULL;
}

/* Of all its steps; and once more of what has no limit of its own. */
static unsigned int begin_limit(const struct config *config)
{
	return config->device_s + MOUNT_LIMIT_S + config->record_s + 3 * config->dmesg_s +
	       2 * config->report_s + SEND_LIMIT_S + 60;
}

/* True: it came to its end. */
static bool supervise(const char *name, unsigned int limit_s, struct error *(*function)(void *arg),
		      void *arg)
{
	struct run run = RUN_INIT;

	run.limit_s = limit_s;
	return progress_run(&run, name, function, arg);
}

int capture_begin(const char *with)
{
	double start_s = realtime_s();
	struct config config;

	if (begun_is_there("") || !hosted_is_due(HOSTED_CONFIG, with, &config))
		return 0;
	umask(077);
	progress("lockdump %s saves what is left, with %s", LOCKDUMP_VERSION, with);
	if (!supervise("failed", begin_limit(&config), begin, &start_s))
		supervise("report", config.report_s, saving_tell_anew, (void *)HOSTED_CONFIG);
	config_deinit(&config);
	return 0;
}

/* --- after ----------------------------------------------------------------------------- */

/* @arg is the host's exit status. */
static struct error *end(void *arg)
{
	const int *host_status = arg;
	struct kdump_conf conf;
	struct capture capture;
	struct error *err = capture_init(&capture, HOSTED_CONFIG);

	if (!err)
		err = kdump_conf_read("", &conf);
	if (!err)
		err = begun_read("", &capture);
	if (err)
		return err;
	if (!*capture.incident.id)
		return error_create(ERROR_NOT_FOUND, "there is no incident to complete");
	run_set_oom_score(OOM_NEVER);
	err = incident_open(capture.store, capture.incident.id, &capture.incident);
	if (err)
		return err;
	incident_hold(&capture.incident);
	capture.found->host_status = *host_status;
	capture.found->host_saved = !*host_status;
	saving_finish(&capture);
	/* All of it: what was sent before may not have come. */
	err = conf.kind == KDUMP_TARGET_SSH ? send(&conf, capture.manifest.id) : NULL;
	config_deinit(&capture.config);
	return err;
}

static unsigned int end_limit(const struct config *config)
{
	return config->dmesg_s + config->proof_s + config->manifest_s + SEND_LIMIT_S + 60;
}

int capture_finish(const char *with, int host_status)
{
	struct config config;

	if (!hosted_is_due(HOSTED_CONFIG, with, &config))
		return 0;
	umask(077);
	supervise("failed", end_limit(&config), end, &host_status);
	config_deinit(&config);
	return 0;
}
