// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/removal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/writers.h"

#define SUFFIX	    ".removed"
#define HIDDEN_SIZE (1 + INCIDENT_ID_SIZE + sizeof(SUFFIX))
#define MAX_DEPTH   64

static struct error *check_kept(const struct incident *incident)
{
	if (!incident_has(incident, INCIDENT_KEEP))
		return NULL;
	return error_create(ERROR_OTHER,
			    "incident %s: it is kept; 'lockdump info --no-keep %s' changes that",
			    incident->id, incident->id);
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
		err = writers_check(&incident, one);
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
