// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/device.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/run.h"

#define REMEDY "; --store takes a folder on a plain disk or partition"

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* One line of /proc/self/mountinfo. Paths there have octal escapes for blanks. */
struct mount {
	char root[PATH_MAX]; /* what of the file system is mounted */
	char point[PATH_MAX];
	char fs_type[32];
};

static void unescape(char *s)
{
	char *out = s;

	for (; *s; out++) {
		unsigned int c;
		if (s[0] == '\\' && sscanf(s + 1, "%3o", &c) == 1) {
			*out = c;
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

/* The mount that @path is reached through, by its ID: paths can be mounted over. */
static struct error *find_mount(const char *path, struct mount *ret)
{
	struct statx stx;
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx))
		return error_errno("store %s", path);
	if (!(stx.stx_mask & STATX_MNT_ID))
		return error_create(ERROR_OTHER, "store %s: statx gives no mount ID (kernel < 5.8)",
				    path);
	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return error_errno("/proc/self/mountinfo");
	while (getline(&line, &size, file) > 0) {
		unsigned long long id;
		/* 36 35 98:0 /root /point options [optional]... - type source options */
		const char *type = strstr(line, " - ");
		if (type &&
		    sscanf(line, "%llu %*u %*s %4095s %4095s", &id, ret->root, ret->point) == 3 &&
		    id == stx.stx_mnt_id && sscanf(type, " - %31s", ret->fs_type) == 1) {
			unescape(ret->root);
			unescape(ret->point);
			return NULL;
		}
	}
	return error_create(ERROR_NOT_FOUND, "store %s: its mount is not in /proc/self/mountinfo",
			    path);
}

/* "/root" + what @store has below @point. */
static struct error *path_in_fs(const char *store, const struct mount *mount, char *ret)
{
	const char *root = strcmp(mount->root, "/") ? mount->root : "";
	const char *rest = store;

	if (strcmp(mount->point, "/"))
		rest += strlen(mount->point);
	if (strcmp(rest, "/") == 0)
		rest = "";
	if (snprintf(ret, PATH_MAX, "%s%s", root, rest) >= PATH_MAX)
		return error_create(ERROR_OTHER, "store %s: the path is too long", store);
	if (!*ret)
		strcpy(ret, "/");
	return NULL;
}

static struct error *probe_uuid(const char *devnode, char *ret, size_t size)
{
	blkid_probe probe = blkid_new_probe_from_filename(devnode);
	const char *uuid;
	struct error *err = NULL;

	if (!probe)
		return error_errno("%s", devnode);
	if (blkid_do_safeprobe(probe) || blkid_probe_lookup_value(probe, "UUID", &uuid, NULL))
		err = error_create(ERROR_NOT_FOUND, "%s: no file system with a UUID on it",
				   devnode);
	else
		snprintf(ret, size, "%s", uuid);
	blkid_free_probe(probe);
	return err;
}

/* A disk that other block devices, a network or a file make up cannot be reached by its driver alone. */
static const char *stacked_on(const char *sysdir)
{
	static const struct {
		const char *file, *what;
	} kinds[] = {
		{ "dm", "device-mapper (LVM or LUKS)" },
		{ "md", "software RAID" },
		{ "loop", "a loop device" },
		{ "../dm", "a partition of device-mapper" },
		{ "../md", "a partition of software RAID" },
		{ "../loop", "a partition of a loop device" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", sysdir, kinds[i].file);
		if (!access(path, F_OK))
			return kinds[i].what;
	}
	return NULL;
}

/* True if the device at @dir, a real path in sysfs, or one that it hangs off, has a driver. */
static bool has_driver(const char *dir)
{
	_cleanup_free_ char *at = strdup(dir);

	while (at && strncmp(at, "/sys/devices/", strlen("/sys/devices/")) == 0) {
		char path[PATH_MAX + 16];
		snprintf(path, sizeof(path), "%s/driver", at);
		if (!access(path, F_OK))
			return true;
		*strrchr(at, '/') = '\0';
	}
	return false;
}

const char *device_unreachable(const char *sysdir)
{
	static const char virtual[] = "/sys/devices/virtual/";
	const char *stack = stacked_on(sysdir);
	_cleanup_free_ char *real = realpath(sysdir, NULL);

	if (stack)
		return stack;
	/* nbd, drbd, bcache, zram and the heads of NVMe multipath, which some program or kernel code has set up. */
	if (!real || !strncmp(real, virtual, strlen(virtual)))
		return "a virtual device, which the capture kernel would not have";
	if (!has_driver(real))
		return "a device without a driver, which the capture kernel could not load";
	return NULL;
}

struct error *device_of_store(const char *store, struct store_device *ret)
{
	_cleanup_free_ char *real = realpath(store, NULL);
	struct stat st;
	if (!real || stat(real, &st))
		return errno == ENOENT ? error_create(ERROR_NOT_FOUND,
						      "store %s: there is no such folder; mkdir it "
						      "or give another with --store",
						      store)
				       : error_errno("store %s", store);
	if (!S_ISDIR(st.st_mode))
		return error_create(ERROR_OTHER, "store %s: not a folder", store);

	struct mount mount;
	struct error *err = find_mount(real, &mount);
	if (err)
		return err;
	char sysdir[64], link[PATH_MAX];
	snprintf(sysdir, sizeof(sysdir), "/sys/dev/block/%u:%u", major(st.st_dev),
		 minor(st.st_dev));
	ssize_t len = readlink(sysdir, link, sizeof(link) - 1);
	if (len < 0)
		return error_create(ERROR_OTHER, "store %s: %s is on no plain block device" REMEDY,
				    store, mount.fs_type);
	link[len] = '\0';
	snprintf(ret->name, sizeof(ret->name), "%s", strrchr(link, '/') + 1);
	const char *why = device_unreachable(sysdir);
	if (why)
		return error_create(ERROR_OTHER, "store %s: %s is on %s, %s" REMEDY, store,
				    mount.fs_type, ret->name, why);

	snprintf(ret->fs_type, sizeof(ret->fs_type), "%s", mount.fs_type);
	char devnode[80];
	snprintf(devnode, sizeof(devnode), "/dev/%s", ret->name);
	err = probe_uuid(devnode, ret->uuid, sizeof(ret->uuid));
	if (!err)
		err = path_in_fs(real, &mount, ret->path);
	return error_prefix(err, "store %s", store);
}

/* The module of the driver of the device at @dir, or its modalias if the driver is built in. */
static struct error *add_driver(const char *dir, bool other_kernel, struct strings *ret)
{
	char path[PATH_MAX], link[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;

	snprintf(path, sizeof(path), "%s/driver", dir);
	if (access(path, F_OK))
		return NULL;
	snprintf(path, sizeof(path), "%s/driver/module", dir);
	ssize_t len = readlink(path, link, sizeof(link) - 1);
	if (len > 0) {
		link[len] = '\0';
		return strings_add(ret, "%s", strrchr(link, '/') + 1);
	}
	if (!other_kernel)
		return NULL;
	snprintf(path, sizeof(path), "%s/modalias", dir);
	file = fopen(path, "re");
	if (!file || !fgets(link, sizeof(link), file))
		return NULL;
	link[strcspn(link, "\n")] = '\0';
	return *link ? strings_add(ret, "%s", link) : NULL;
}

struct error *device_drivers(const struct store_device *device, bool other_kernel,
			     struct strings *ret)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/block/%s", device->name);
	_cleanup_free_ char *dir = realpath(path, NULL);
	if (!dir)
		return error_errno("%s", path);
	while (strncmp(dir, "/sys/devices/", strlen("/sys/devices/")) == 0) {
		struct error *err = add_driver(dir, other_kernel, ret);
		if (err)
			return err;
		*strrchr(dir, '/') = '\0';
	}
	return NULL;
}

struct error *device_wait(const char *uuid, unsigned int limit_s, char ret[static PATH_MAX])
{
	double until = uptime_s() + limit_s;

	do {
		_cleanup_(close_dir) DIR *dir = opendir("/sys/class/block");
		if (!dir)
			return error_errno("/sys/class/block");
		for (struct dirent *entry; (entry = readdir(dir));) {
			char found[64];
			if (entry->d_name[0] == '.')
				continue;
			snprintf(ret, PATH_MAX, "/dev/%s", entry->d_name);
			struct error *err = probe_uuid(ret, found, sizeof(found));
			if (!err && !strcmp(found, uuid))
				return NULL;
			error_destroy(err);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	} while (uptime_s() < until);
	return error_create(ERROR_NOT_FOUND, "no disk with file system %s within %u s", uuid,
			    limit_s);
}
