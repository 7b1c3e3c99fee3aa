/* SPDX-License-Identifier: GPL-2.0-only */
/* The block device that the store is on, and the devices that lead to it. */
#ifndef LOCKDUMP_DEVICE_H
#define LOCKDUMP_DEVICE_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "kdump/strings.h"

struct store_device {
	char name[64]; /* as in /sys/class/block and /dev: "vda1" */
	char fs_type[32];
	char uuid[64]; /* the file system's */
	char path[PATH_MAX]; /* the store as seen from the file system's root: "/var/crash" */
};

/* Finds the device of the folder @store. An error names the file system if that is on no plain block device. */
struct error *device_of_store(const char *store, struct store_device *ret);

/*
 * Names what drives @device from the disk up to the bus: the modules, as "virtio_blk"; for
 * @other_kernel also the modaliases ("pci:v00001AF4d...") of devices whose driver is built
 * into this one, as the other may have it as a module.
 */
struct error *device_drivers(const struct store_device *device, bool other_kernel,
			     struct strings *ret);

/*
 * Why loading drivers does not lead to the block device at @sysdir (/sys/dev/block/MAJOR:MINOR or
 * the like), in words that follow 'is on'; NULL if it does.
 */
const char *device_unreachable(const char *sysdir);

/* Waits up to @limit_s for the file system @uuid to appear; @ret gets the device's path in /dev. */
struct error *device_wait(const char *uuid, unsigned int limit_s, char ret[static PATH_MAX]);

#endif
