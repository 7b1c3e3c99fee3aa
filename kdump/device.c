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
#include "kdump/btrfs.h"
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
	char options[1024]; /* the file system's own */
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
		    id == stx.stx_mnt_id &&
		    sscanf(type, " - %31s %*s %1023s", ret->fs_type, ret->options) == 2) {
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

/* --- mounting it again ----------------------------------------------------------------- */

/* The value of "NAME=VALUE" in @options, and its length; NULL: there is none. */
static const char *find_option(const char *options, const char *name, size_t *length)
{
	size_t name_length = strlen(name);

	for (const char *at = options; *at; at += strcspn(at, ","), at += *at == ',') {
		if (strncmp(at, name, name_length) || at[name_length] != '=')
			continue;
		at += name_length + 1;
		*length = strcspn(at, ",");
		return at;
	}
	return NULL;
}

/* Adds "NAME=VALUE" as it is in @options to @ret, if it is. */
static void take_option(const char *options, const char *name, char ret[static DEVICE_OPTIONS_SIZE])
{
	size_t length, have = strlen(ret);
	const char *value = find_option(options, name, &length);

	if (value && length < 32)
		snprintf(ret + have, DEVICE_OPTIONS_SIZE - have, "%s%s=%.*s", have ? "," : "", name,
			 (int)length, value);
}

struct error *device_mount_options(const char *fs_type, const char *options,
				   char ret[static DEVICE_OPTIONS_SIZE])
{
	static const char *const elsewhere[] = { "logdev", "rtdev" }; /* XFS's */
	size_t length;

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		const char *device = find_option(options, elsewhere[i], &length);
		if (device && strncmp(device, "none", length))
			return error_create(ERROR_OTHER,
					    "%s has a part on another device (%s=%.*s), and the "
					    "capture kernel mounts but one" REMEDY,
					    fs_type, elsewhere[i], (int)length, device);
	}
	/* Else it would be the default subvolume; from the top all of them are folders. */
	if (!strcmp(fs_type, "btrfs"))
		strcpy(ret, "subvolid=5");
	/* What is default is the kernel's configuration, and the capture kernel may be another. */
	take_option(options, "codepage", ret);
	take_option(options, "iocharset", ret);
	return NULL;
}

bool device_is_open_to_all(const char *fs_type, const char *options)
{
	static const char *const without[] = { "vfat", "msdos", "exfat" };
	size_t length;

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		if (strcmp(fs_type, without[i]))
			continue;
		const char *files = find_option(options, "fmask", &length);
		const char *folders = find_option(options, "dmask", &length);
		return (!files || (~strtoul(files, NULL, 8) & 044)) &&
		       (!folders || (~strtoul(folders, NULL, 8) & 011));
	}
	return false;
}

/* --- the way to it --------------------------------------------------------------------- */

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

static bool is_virtual(const char *dir)
{
	return !strncmp(dir, "/sys/devices/virtual/", strlen("/sys/devices/virtual/"));
}

/*
 * The paths in sysfs from which drivers lead to the block device at @dir: itself; for the head of NVMe multipath, which is what
 * any disk is that may have several controllers, those of its subsystem that are hardware:
 * /sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0 -> ../../../pci0000:00/0000:00:04.0/nvme/nvme0, and beside it nvme0n1.
 */
static struct error *find_ways(const char *dir, struct strings *ret)
{
	static const char heads[] = "/sys/devices/virtual/nvme-subsystem/";
	struct error *err = NULL;

	if (strncmp(dir, heads, strlen(heads)))
		return is_virtual(dir) ? NULL : strings_add(ret, "%s", dir);
	_cleanup_free_ char *subsystem =
		strndup(dir, strlen(heads) + strcspn(dir + strlen(heads), "/"));
	_cleanup_(close_dir) DIR *entries = subsystem ? opendir(subsystem) : NULL;
	if (!entries)
		return error_errno("%s", dir);
	for (struct dirent *entry; !err && (entry = readdir(entries));) {
		char path[PATH_MAX], rest;
		unsigned int number;
		if (sscanf(entry->d_name, "nvme%u%c", &number, &rest) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", subsystem, entry->d_name);
		_cleanup_free_ char *real = realpath(path, NULL);
		if (real && !is_virtual(real))
			err = strings_add(ret, "%s", real);
	}
	return err;
}

const char *device_unreachable(const char *sysdir)
{
	const char *stack = stacked_on(sysdir);
	_cleanup_free_ char *real = realpath(sysdir, NULL);
	_cleanup_(strings_deinit) struct strings ways = { 0 };
	bool driven = false;

	if (stack)
		return stack;
	if (real)
		error_destroy(find_ways(real, &ways));
	/* nbd, drbd, bcache, zram, which some program or kernel code has set up, and NVMe over a network. */
	if (!ways.count)
		return "a virtual device, which the capture kernel would not have";
	for (size_t i = 0; i < ways.count; i++)
		driven |= has_driver(ways.items[i]);
	if (!driven)
		return "a device without a driver, which the capture kernel could not load";
	return NULL;
}

/* The block device @number. */
static struct error *plain_device(const char *store, const struct mount *mount, dev_t number,
				  char ret[static DEVICE_NAME_SIZE])
{
	char sysdir[64], link[PATH_MAX];

	snprintf(sysdir, sizeof(sysdir), "/sys/dev/block/%u:%u", major(number), minor(number));
	ssize_t len = readlink(sysdir, link, sizeof(link) - 1);
	if (len < 0)
		return error_create(ERROR_OTHER, "store %s: %s is on no plain block device" REMEDY,
				    store, mount->fs_type);
	link[len] = '\0';
	snprintf(ret, DEVICE_NAME_SIZE, "%s", strrchr(link, '/') + 1);
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
	char sysdir[128];
	if (!strcmp(mount.fs_type, "btrfs"))
		err = error_prefix(btrfs_device(real, ret->name), "store %s", store);
	else
		err = plain_device(store, &mount, st.st_dev, ret->name);
	if (err)
		return err;
	snprintf(sysdir, sizeof(sysdir), "/sys/class/block/%s", ret->name);
	const char *why = device_unreachable(sysdir);
	if (why)
		return error_create(ERROR_OTHER, "store %s: %s is on %s, %s" REMEDY, store,
				    mount.fs_type, ret->name, why);

	snprintf(ret->fs_type, sizeof(ret->fs_type), "%s", mount.fs_type);
	char devnode[80];
	snprintf(devnode, sizeof(devnode), "/dev/%s", ret->name);
	err = probe_uuid(devnode, ret->uuid, sizeof(ret->uuid));
	ret->is_open_to_all = device_is_open_to_all(mount.fs_type, mount.options);
	if (!err)
		err = device_mount_options(mount.fs_type, mount.options, ret->options);
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

/* From the device at @dir, which is changed, up. */
static struct error *add_drivers(char *dir, bool other_kernel, struct strings *ret)
{
	struct error *err = NULL;

	while (!err && strncmp(dir, "/sys/devices/", strlen("/sys/devices/")) == 0) {
		err = add_driver(dir, other_kernel, ret);
		*strrchr(dir, '/') = '\0';
	}
	return err;
}

struct error *device_drivers_at(const char *sysfs, bool other_kernel, struct strings *ret)
{
	_cleanup_free_ char *dir = realpath(sysfs, NULL);

	return dir ? add_drivers(dir, other_kernel, ret) : error_errno("%s", sysfs);
}

static struct error *add_device(const struct store_device *device, bool other_kernel,
				struct strings *ret)
{
	_cleanup_(strings_deinit) struct strings ways = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/block/%s", device->name);
	_cleanup_free_ char *dir = realpath(path, NULL);
	struct error *err = dir ? find_ways(dir, &ways) : error_errno("%s", path);
	for (size_t i = 0; !err && i < ways.count; i++)
		err = add_drivers(ways.items[i], other_kernel, ret);
	return err;
}

struct error *device_modules(const struct store_device *device, bool other_kernel,
			     struct strings *ret)
{
	size_t length;
	struct error *err = add_device(device, other_kernel, ret);

	if (!err)
		err = strings_add(ret, "%s", device->fs_type);
	/* vfat asks for its tables of characters when it is mounted: load_nls() in fs/nls/nls_base.c. */
	if (err || strcmp(device->fs_type, "vfat"))
		return err;
	const char *page = find_option(device->options, "codepage", &length);
	if (page)
		err = strings_add(ret, "nls_cp%.*s", (int)length, page);
	const char *set = find_option(device->options, "iocharset", &length);
	if (set && !err)
		err = strings_add(ret, "nls_%.*s", (int)length, set);
	return err;
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
