// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/hosted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/capture.h"
#include "kdump/run.h"

bool hosted_is_due(const char *path, const char *with, struct config *ret)
{
	struct stat st;

	/* The kernel makes the file, and makes it empty, in others too. */
	if (stat("/proc/vmcore", &st) || !st.st_size || access(path, R_OK))
		return false;
	struct error *err = config_read(path, ret);
	if (err) {
		error_report(err);
		return false;
	}
	if (!strcmp(ret->with, with))
		return true;
	config_deinit(ret);
	return false;
}

/* --- the host's dump ------------------------------------------------------------------- */

/* Not "dump-incomplete", nor "dmesg.202611231748". */
static bool is_dump_name(const char *name)
{
	return !strcmp(name, "vmcore") || !strncmp(name, "dump.", 5) ||
	       !strncmp(name, "vmcore.", 7);
}

static bool find_in(const char *path, time_t since, char ret[static PATH_MAX])
{
	DIR *dir = opendir(path);
	bool found = false;

	if (!dir)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		struct stat st;
		found = is_dump_name(entry->d_name) &&
			!fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
			S_ISREG(st.st_mode) && st.st_size && st.st_mtime >= since &&
			snprintf(ret, PATH_MAX, "%s/%s", path, entry->d_name) < PATH_MAX;
	}
	closedir(dir);
	return found;
}

bool hosted_find_dump(const char *dir, time_t since, char ret[static PATH_MAX])
{
	DIR *folders = opendir(dir);
	bool found = false;

	if (!folders)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(folders));) {
		char path[PATH_MAX];
		struct stat st;
		/* An incident's vmcore is no host's. */
		if (entry->d_name[0] == '.' || incident_id_is_valid(entry->d_name) ||
		    fstatat(dirfd(folders), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISDIR(st.st_mode) || st.st_mtime < since ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= PATH_MAX)
			continue;
		found = find_in(path, since, ret);
	}
	closedir(folders);
	return found;
}

/* --- the step -------------------------------------------------------------------------- */

/* Whatever it says goes to the console and the journal. */
static struct error *save(const struct config *config)
{
	struct run run = RUN_INIT;

	run.limit_s = config->vmcore_s;
	run.group = true;
	run.echo = true;
	return run_program(&run, (const char *[]){ "kdump-config", "savecore", NULL });
}

/* Where the rig will find what is at @path in capture->host_dir. */
static void name_dump(const struct capture *capture, const char *path)
{
	const struct config *config = &capture->config;
	struct findings *found = capture->found;
	const char *dir = *config->host_remote ? config->host_remote : config->host_dir;

	snprintf(found->host_dump, sizeof(found->host_dump), "%.200s%.54s", dir,
		 path + strlen(capture->host_dir));
}

static struct error *adopt(struct capture *capture, const char *path)
{
	const struct incident *incident = &capture->incident;

	name_dump(capture, path);
	/* The host's shell may have its own idea of who reads a crashed kernel's memory. */
	if (chmod(path, 0600))
		return error_errno("%s", path);
	if (linkat(AT_FDCWD, path, incident->dirfd, INCIDENT_VMCORE, 0))
		return error_errno("%s: not linked", path);
	if (fsync(incident->dirfd))
		return error_errno("incident %s", incident->id);
	return NULL;
}

struct error *step_host_link(void *arg)
{
	struct capture *capture = arg;
	const struct config *config = &capture->config;
	struct findings *found = capture->found;
	char path[PATH_MAX];

	if (!found->host_saved)
		return error_create(ERROR_OTHER, "%s could not save it: exit status %d",
				    config->with, found->host_status);
	if (!*capture->host_dir) {
		memcpy(found->host_dump, config->host_remote, sizeof(config->host_remote));
		return error_create(ERROR_OTHER, "it is not here");
	}
	if (!hosted_find_dump(capture->host_dir, capture->host_since, path))
		return error_create(ERROR_NOT_FOUND, "%s: no dump was written", capture->host_dir);
	return adopt(capture, path);
}

struct error *step_host_vmcore(void *arg)
{
	struct capture *capture = arg;
	const struct config *config = &capture->config;

	capture->host_since = time(NULL);
	if (!*config->host_remote)
		snprintf(capture->host_dir, sizeof(capture->host_dir), "%s", config->host_dir);
	capture->found->host_tried = true;
	struct error *err = save(config);
	if (err)
		return err;
	capture->found->host_saved = true;
	return step_host_link(capture);
}
