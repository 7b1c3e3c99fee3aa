// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/btrfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FSID "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x"

struct error *btrfs_only_device(const char *sysdir, char ret[static BTRFS_DEVICE_SIZE])
{
	DIR *dir = opendir(sysdir);
	size_t count = 0;

	if (!dir)
		return error_errno("%s", sysdir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(ret, BTRFS_DEVICE_SIZE, "%.*s", BTRFS_DEVICE_SIZE - 1, entry->d_name);
		count++;
	}
	closedir(dir);
	if (!count)
		return error_create(ERROR_NOT_FOUND, "%s: no device in it", sysdir);
	return count == 1
		       ? NULL
		       : error_create(
				 ERROR_OTHER,
				 "btrfs is on %zu devices, and the capture kernel mounts but one; "
				 "--store takes a folder on a plain disk or partition",
				 count);
}

struct error *btrfs_device(const char *store, char ret[static BTRFS_DEVICE_SIZE])
{
	_cleanup_close_ int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct btrfs_ioctl_fs_info_args info = { 0 };
	const unsigned char *id = info.fsid;
	char sysdir[128];

	if (fd < 0 || ioctl(fd, BTRFS_IOC_FS_INFO, &info))
		return error_errno("btrfs");
	snprintf(sysdir, sizeof(sysdir), "/sys/fs/btrfs/" FSID "/devices", id[0], id[1], id[2],
		 id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13],
		 id[14], id[15]);
	return btrfs_only_device(sysdir, ret);
}
