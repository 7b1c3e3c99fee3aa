/* SPDX-License-Identifier: GPL-2.0-only */
/* The block device that the store is on, and the devices that lead to it. */
#ifndef LOCKDUMP_DEVICE_H
#define LOCKDUMP_DEVICE_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "kdump/strings.h"

#define DEVICE_NAME_SIZE    64
#define DEVICE_OPTIONS_SIZE 128

struct store_device {
	char name[DEVICE_NAME_SIZE]; /* as in /sys/class/block and /dev: "vda1" */
	char fs_type[32];
	char uuid[64]; /* the file system's */
	char options
		[DEVICE_OPTIONS_SIZE]; /* to mount it with in the capture kernel; may be empty */
	bool is_open_to_all; /* who can reach the store can read all in it, as there are no modes */
	char path[PATH_MAX]; /* the store as seen from the file system's root: "/var/crash" */
};

/* Finds the device of the folder @store. An error names the file system if that is on no plain block device. */
struct error *device_of_store(const char *store, struct store_device *ret);

/*
 * What the capture kernel must mount a file system with that is mounted here as @fs_type with @options (as /proc/self/mountinfo
 * has them last). An error if it cannot: the file system is on several devices.
 */
struct error *device_mount_options(const char *fs_type, const char *options,
				   char ret[static DEVICE_OPTIONS_SIZE]);

/*
 * Whether users other than root may read files of the store: @fs_type (vfat and the like) keeps no modes, and the mount
 * @options do not say that they may not.
 */
bool device_is_open_to_all(const char *fs_type, const char *options);

/*
 * Names what drives @device from the disk up to the bus, and its file system: the modules, as
 * "virtio_blk"; for @other_kernel also the modaliases ("pci:v00001AF4d...") of devices whose
 * driver is built into this one, as the other may have it as a module.
 */
struct error *device_modules(const struct store_device *device, bool other_kernel,
			     struct strings *ret);

/* The drivers alone, of the device at @sysfs, a path that may be a symbolic link. */
struct error *device_drivers_at(const char *sysfs, bool other_kernel, struct strings *ret);

/*
 * Why loading drivers does not lead to the block device at @sysdir (/sys/dev/block/MAJOR:MINOR or
 * the like), in words that follow 'is on'; NULL if it does.
 */
const char *device_unreachable(const char *sysdir);

/* Waits up to @limit_s for the file system @uuid to appear; @ret gets the device's path in /dev. */
struct error *device_wait(const char *uuid, unsigned int limit_s, char ret[static PATH_MAX]);

#endif
