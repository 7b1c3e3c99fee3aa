// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/store.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MAX_CLASHES    1000
#define ID_BOOT_DIGITS 8

/* YYYYMMDDTHHMMSSZ-xxxxxxxx with an optional -N: nothing that could lead out of the store. */
bool incident_id_is_valid(const char *id)
{
	static const char pattern[] = "ddddddddTddddddZ-xxxxxxxx";
	size_t i;

	for (i = 0; pattern[i]; i++) {
		unsigned char c = id[i];
		if (pattern[i] == 'd'	? !isdigit(c)
		    : pattern[i] == 'x' ? !isxdigit(c)
					: c != pattern[i])
			return false;
	}
	if (!id[i])
		return true;
	if (id[i++] != '-' || !id[i])
		return false;
	while (isdigit((unsigned char)id[i]))
		i++;
	return !id[i] && i < INCIDENT_ID_SIZE;
}

bool incident_id_is_of_boot(const char *id, const char *boot_id)
{
	return incident_id_is_valid(id) && strlen(boot_id) >= ID_BOOT_DIGITS &&
	       !strncmp(id + INCIDENT_ID_STEM - ID_BOOT_DIGITS, boot_id, ID_BOOT_DIGITS);
}

int64_t incident_id_onset(const char *id)
{
	struct tm tm = { 0 };

	if (sscanf(id, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

int incident_id_compare(const char *a, const char *b)
{
	int difference = strncmp(a, b, INCIDENT_ID_STEM);

	if (difference || !strcmp(a, b))
		return difference;
	/* Behind the stem there is nothing or "-N": that of -10 comes after that of -9. */
	size_t length_a = strlen(a), length_b = strlen(b);
	return length_a != length_b ? (length_a < length_b ? -1 : 1) : strcmp(a, b);
}

static struct error *open_store(const char *store, int *ret)
{
	*ret = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return error_errno("store %s", store);
	return NULL;
}

struct error *incident_create(const char *store, int64_t onset_s, const char *boot_id,
			      struct incident *ret)
{
	_cleanup_close_ int storefd = -1;
	struct error *err = open_store(store, &storefd);
	if (err)
		return err;

	time_t onset = onset_s;
	struct tm tm;
	char stamp[32];
	if (!gmtime_r(&onset, &tm) || tm.tm_year + 1900 < 1970 || tm.tm_year + 1900 > 9999)
		return error_create(ERROR_OTHER, "store %s: onset %lld is no date", store,
				    (long long)onset_s);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);

	for (int n = 1; n <= MAX_CLASHES; n++) {
		int len = snprintf(ret->id, sizeof(ret->id), "%s-%.8s", stamp, boot_id);
		if (n > 1)
			snprintf(ret->id + len, sizeof(ret->id) - len, "-%d", n);
		if (!incident_id_is_valid(ret->id))
			return error_create(ERROR_OTHER, "store %s: boot id '%.8s' is not one",
					    store, boot_id);
		if (!mkdirat(storefd, ret->id, 0700)) {
			if (fsync(storefd))
				return error_errno("store %s", store);
			err = incident_open(store, ret->id, ret);
			if (!err)
				incident_hold(ret);
			return err;
		}
		if (errno != EEXIST)
			return error_errno("store %s: cannot make %s", store, ret->id);
	}
	return error_create(ERROR_OTHER, "store %s: %d incidents of %s already", store, MAX_CLASHES,
			    stamp);
}

static struct error *invalid_id(const char *store, const char *id)
{
	return error_create(ERROR_OTHER, "store %s: '%.*s' is no incident's id", store,
			    INCIDENT_ID_SIZE, id);
}

struct error *incident_make(const char *store, const char *id, struct incident *ret)
{
	_cleanup_close_ int storefd = -1;

	if (!incident_id_is_valid(id))
		return invalid_id(store, id);
	struct error *err = open_store(store, &storefd);
	if (err)
		return err;
	if (mkdirat(storefd, id, 0700) || fsync(storefd))
		return error_errno("store %s: cannot make %s", store, id);
	return incident_open(store, id, ret);
}

struct error *incident_open_at(int storefd, const char *id, struct incident *ret)
{
	if (!incident_id_is_valid(id))
		return error_create(ERROR_OTHER, "'%.*s' is no incident's id", INCIDENT_ID_SIZE,
				    id);
	if (ret->id != id)
		snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->dirfd = openat(storefd, ret->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->dirfd < 0 ? error_errno("incident %s", ret->id) : NULL;
}

struct error *incident_open(const char *store, const char *id, struct incident *ret)
{
	_cleanup_close_ int storefd = -1;

	if (!incident_id_is_valid(id))
		return invalid_id(store, id);
	struct error *err = open_store(store, &storefd);
	return err ? err : error_prefix(incident_open_at(storefd, id, ret), "store %s", store);
}

struct error *incident_open_folder(const struct incident *incident, const char *name,
				   struct incident *ret)
{
	*ret = (struct incident){ .dirfd = -1 };
	memcpy(ret->id, incident->id, sizeof(ret->id));
	if (mkdirat(incident->dirfd, name, 0700)) {
		if (errno != EEXIST)
			return error_errno("incident %s: cannot make %s", incident->id, name);
	} else if (fsync(incident->dirfd)) {
		return error_errno("incident %s", incident->id);
	}
	ret->dirfd = openat(incident->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->dirfd < 0 ? error_errno("incident %s: %s", incident->id, name) : NULL;
}

void incident_close(struct incident *incident)
{
	if (incident->dirfd >= 0)
		close(incident->dirfd);
	incident->dirfd = -1;
}

void incident_hold(const struct incident *incident)
{
	flock(incident->dirfd, LOCK_SH | LOCK_NB);
}

bool incident_try_lock(const struct incident *incident)
{
	/* A file system without locks has nobody who holds one. */
	return !flock(incident->dirfd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK;
}

bool store_is_shared(int fd)
{
	/* linux/magic.h and the file systems' own headers */
	static const unsigned int shared[] = {
		0x6969 /* NFS */,	0x517b /* SMB */,	0xff534d42 /* CIFS */,
		0xfe534d42 /* SMB 2 */, 0x01021997 /* 9P */,	0x65735546 /* FUSE, virtiofs */,
		0x00c36400 /* Ceph */,	0x5346414f /* AFS */,	0x6b414653 /* kAFS */,
		0x01161970 /* GFS2 */,	0x7461636f /* OCFS2 */, 0x0bd00bd0 /* Lustre */,
	};
	struct statfs st;

	if (fstatfs(fd, &st))
		return false;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if ((unsigned int)st.f_type == shared[i])
			return true;
	return false;
}

/* On a network file system root may be somebody else. Here he may do what he likes anyway. */
bool incident_is_ours(const struct incident *incident)
{
	struct stat st;

	return !fstat(incident->dirfd, &st) && !(st.st_mode & 022) &&
	       (st.st_uid == geteuid() || !st.st_uid || store_is_shared(incident->dirfd));
}

struct error *incident_open_ours(const char *store, const char *id, struct incident *ret)
{
	struct error *err = incident_open(store, id, ret);

	if (err || incident_is_ours(ret))
		return err;
	incident_close(ret);
	return error_create(ERROR_OTHER,
			    "store %s: incident %s: not root's, or others may write to it", store,
			    id);
}

struct error *store_walk_ours(const char *store,
			      bool (*visit)(const struct incident *incident, void *arg), void *arg)
{
	DIR *dir = opendir(store);
	bool over = false;

	if (!dir)
		return error_errno("store %s", store);
	for (struct dirent *entry; !over && (entry = readdir(dir));) {
		struct incident incident;
		struct error *err = incident_open_ours(store, entry->d_name, &incident);
		if (err) {
			error_destroy(err);
			continue;
		}
		over = visit(&incident, arg);
		incident_close(&incident);
	}
	closedir(dir);
	return NULL;
}

off_t store_room(const char *store)
{
	struct statvfs st;

	return statvfs(store, &st) ? 0 : (off_t)st.f_bavail * (off_t)st.f_frsize;
}

static struct error *write_all(int fd, const char *name, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("%s", name);
		done += n;
	}
	return NULL;
}

/* A new file NAME.incomplete, and that name. What stands under it was left by a writer that died. */
static struct error *open_temp(const struct incident *incident, const char *name,
			       char temp[static NAME_MAX + 1], int *ret)
{
	if (snprintf(temp, NAME_MAX + 1, "%s.incomplete", name) > NAME_MAX)
		return error_create(ERROR_OTHER, "%s: the name is too long", name);
	if (unlinkat(incident->dirfd, temp, 0) && errno != ENOENT)
		return error_errno("%s/%s", incident->id, temp);
	*ret = openat(incident->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	return *ret < 0 ? error_errno("%s/%s", incident->id, temp) : NULL;
}

struct error *incident_stage(const struct incident *incident, const char *name, const void *data,
			     size_t size)
{
	char temp[NAME_MAX + 1];
	int fd;
	struct error *err = open_temp(incident, name, temp, &fd);

	if (err)
		return error_prefix(err, "incident");
	err = write_all(fd, name, data, size);
	/* So that the disk has all of them at hand when the first one is waited for. */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (close(fd) && !err)
		err = error_errno("%s", name);
	if (err)
		unlinkat(incident->dirfd, temp, 0);
	return error_prefix(err, "incident %s", incident->id);
}

void incident_remove_staged(const struct incident *incident, const char *name)
{
	char temp[NAME_MAX + 1];

	snprintf(temp, sizeof(temp), "%s.incomplete", name);
	unlinkat(incident->dirfd, temp, 0);
}

struct error *incident_write(const struct incident *incident, const char *name, const void *data,
			     size_t size)
{
	struct error *err = incident_stage(incident, name, data, size);

	if (err)
		return err;
	err = incident_publish(incident, &name, 1);
	if (err)
		incident_remove_staged(incident, name);
	return error_prefix(err, "incident %s", incident->id);
}

struct error *incident_open_file(const struct incident *incident, const char *name, FILE **ret)
{
	char temp[NAME_MAX + 1];
	int fd;
	struct error *err = open_temp(incident, name, temp, &fd);

	if (err)
		return err;
	*ret = fdopen(fd, "w");
	if (!*ret) {
		err = error_errno("%s", name);
		close(fd);
	}
	return err;
}

static struct error *close_stream(FILE *file, const char *name)
{
	struct error *err = NULL;

	if (fflush(file))
		err = error_errno("%s", name);
	else if (ferror(file))
		err = error_create(ERROR_SYSTEM, "%s: could not be written", name);
	if (fclose(file) && !err)
		err = error_errno("%s", name);
	return err;
}

struct error *incident_close_file(const struct incident *incident, const char *name, FILE *file,
				  struct error *err)
{
	char temp[NAME_MAX + 1];
	struct stat st;

	if (!file)
		return err;
	struct error *own = close_stream(file, name);
	snprintf(temp, sizeof(temp), "%s.incomplete", name);
	if (!err && !own)
		return incident_rename(incident, temp, name);
	if (!fstatat(incident->dirfd, temp, &st, AT_SYMLINK_NOFOLLOW) && !st.st_size)
		unlinkat(incident->dirfd, temp, 0);
	if (err)
		error_destroy(own);
	return err ? err : error_prefix(own, "incident %s", incident->id);
}

void incident_path(const struct incident *incident, const char *name,
		   char ret[static INCIDENT_PATH_SIZE])
{
	snprintf(ret, INCIDENT_PATH_SIZE, "/proc/self/fd/%d/%s", incident->dirfd, name);
}

bool incident_has(const struct incident *incident, const char *name)
{
	return !faccessat(incident->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

struct error *incident_remove(const struct incident *incident, const char *name)
{
	if (unlinkat(incident->dirfd, name, 0) && errno != ENOENT)
		return error_errno("incident %s: %s", incident->id, name);
	return fsync(incident->dirfd) ? error_errno("incident %s", incident->id) : NULL;
}

static struct error *sync_file(const struct incident *incident, const char *name)
{
	_cleanup_close_ int fd =
		openat(incident->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 || fsync(fd) ? error_errno("%s/%s", incident->id, name) : NULL;
}

struct error *incident_publish(const struct incident *incident, const char *const *names,
			       size_t count)
{
	char temp[NAME_MAX + 1];
	struct error *err = NULL;

	for (size_t i = 0; !err && i < count; i++) {
		snprintf(temp, sizeof(temp), "%s.incomplete", names[i]);
		err = sync_file(incident, temp);
	}
	for (size_t i = 0; !err && i < count; i++) {
		snprintf(temp, sizeof(temp), "%s.incomplete", names[i]);
		if (renameat(incident->dirfd, temp, incident->dirfd, names[i]))
			err = error_errno("%s/%s", incident->id, names[i]);
	}
	if (!err && fsync(incident->dirfd))
		err = error_errno("%s", incident->id);
	return err;
}

struct error *incident_rename(const struct incident *incident, const char *from, const char *to)
{
	struct error *err = sync_file(incident, from);

	if (err)
		return err;
	if (renameat(incident->dirfd, from, incident->dirfd, to) || fsync(incident->dirfd))
		return error_errno("%s/%s", incident->id, to);
	return NULL;
}
