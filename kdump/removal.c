// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/removal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "state/record_pin.h"

#define SUFFIX	    ".removed"
#define HIDDEN_SIZE (1 + INCIDENT_ID_SIZE + sizeof(SUFFIX))
#define MAX_DEPTH   64
#define WRITING_S   600 /* who writes a vmcore does not pause for so long */

/* The incident that the flight record of this machine names: a watch has it open, or one that was killed, and the next will. */
static bool is_in_record(const char *id)
{
	struct record record;
	struct error *err = record_from_pin(RECORD_PIN_PATH, &record);

	if (err) {
		error_destroy(err);
		return false;
	}
	bool is = !strncmp(record.header->incident, id, sizeof(record.header->incident));
	record_deinit(&record);
	return is;
}

static bool is_of_this_boot(const char *id)
{
	char boot_id[40] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file && !fgets(boot_id, sizeof(boot_id), file))
		*boot_id = '\0';
	if (file)
		fclose(file);
	return strlen(boot_id) > 8 && !strncmp(id + INCIDENT_ID_STEM - 8, boot_id, 8);
}

/* When something was last written to a file of it. */
static int64_t last_written_s(const struct incident *incident)
{
	int64_t newest = 0;
	int fd = openat(incident->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		if (!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_mtime > newest)
			newest = st.st_mtime;
	}
	closedir(dir);
	return newest;
}

/*
 * The store may be shared: then the capture kernel of another machine may be at it, which has no manifest yet but writes
 * all the time. On a disk of our own that cannot be, but who looks at it so soon after a crash can wait, too.
 */
static bool is_being_captured(const struct incident *incident, const struct incident_summary *one)
{
	return !one->has_manifest && !is_of_this_boot(one->id) &&
	       store_is_shared(incident->dirfd) &&
	       time(NULL) - last_written_s(incident) < WRITING_S;
}

static struct error *check_open(const struct incident *incident, const struct incident_summary *one)
{
	if (!incident_try_lock(incident))
		return error_create(ERROR_OTHER,
				    "incident %s: somebody is writing it: "
				    "'lockdump watch' or 'lockdump harvest'",
				    one->id);
	if (is_in_record(one->id))
		return error_create(ERROR_OTHER,
				    "incident %s: it is not over: the flight record goes on in it",
				    one->id);
	if (is_being_captured(incident, one))
		return error_create(ERROR_OTHER,
				    "incident %s: another machine may be writing it; try again in "
				    "10 minutes",
				    one->id);
	return NULL;
}

static struct error *check_kept(const struct incident *incident)
{
	if (!incident_has(incident, INCIDENT_KEEP))
		return NULL;
	return error_create(ERROR_OTHER,
			    "incident %s: it is kept; 'lockdump info --no-keep %s' changes that",
			    incident->id, incident->id);
}

struct error *removal_check(const char *store, const struct incident_summary *one)
{
	struct incident incident;
	struct error *err = incident_open(store, one->id, &incident);

	if (err)
		return err;
	err = check_kept(&incident);
	if (!err)
		err = check_open(&incident, one);
	incident_close(&incident);
	return err;
}

static struct error *empty_folder(int dirfd, int depth);

static struct error *remove_entry(int dirfd, const char *name, int depth)
{
	if (!unlinkat(dirfd, name, 0) || errno == ENOENT)
		return NULL;
	if (errno != EISDIR && errno != EPERM)
		return error_errno("%s", name);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno("%s", name);
	struct error *err = depth ? empty_folder(fd, depth - 1)
				  : error_create(ERROR_OTHER, "%s: too deep", name);
	close(fd);
	if (!err && unlinkat(dirfd, name, AT_REMOVEDIR) && errno != ENOENT)
		err = error_errno("%s", name);
	return err;
}

/* Removes all in it. @dirfd stays open. */
static struct error *empty_folder(int dirfd, int depth)
{
	struct error *err = NULL;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		err = error_errno("cannot read a folder");
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			err = remove_entry(dirfd, entry->d_name, depth);
	closedir(dir);
	return err;
}

static struct error *remove_from(int storefd, const char *id)
{
	char hidden[HIDDEN_SIZE];

	snprintf(hidden, sizeof(hidden), ".%s" SUFFIX, id);
	/* Of the same name there may be what an earlier removal has left. */
	struct error *err = remove_entry(storefd, hidden, MAX_DEPTH);
	if (!err && (renameat(storefd, id, storefd, hidden) || fsync(storefd)))
		err = error_errno("cannot be removed");
	return err ? err : remove_entry(storefd, hidden, MAX_DEPTH);
}

struct error *removal_remove(const char *store, const struct incident_summary *one)
{
	struct incident incident;
	struct error *err = incident_open(store, one->id, &incident);

	if (err)
		return err;
	/* It stays locked until it has its hidden name: nobody begins to write it meanwhile. */
	err = check_kept(&incident);
	if (!err)
		err = check_open(&incident, one);
	if (!err) {
		_cleanup_close_ int storefd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = storefd < 0
			      ? error_errno("store %s", store)
			      : error_prefix(remove_from(storefd, one->id), "incident %s", one->id);
	}
	incident_close(&incident);
	return err;
}

/* ".ID.removed" */
static bool is_leftover(const char *name)
{
	char id[INCIDENT_ID_SIZE];
	size_t length = strlen(name);

	if (*name != '.' || length <= strlen(SUFFIX) + 1 || length >= HIDDEN_SIZE ||
	    strcmp(name + length - strlen(SUFFIX), SUFFIX))
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(length - strlen(SUFFIX) - 1), name + 1);
	return incident_id_is_valid(id);
}

void removal_finish(const char *store)
{
	DIR *dir = opendir(store);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (is_leftover(entry->d_name))
			error_destroy(remove_entry(dirfd(dir), entry->d_name, MAX_DEPTH));
	closedir(dir);
}
