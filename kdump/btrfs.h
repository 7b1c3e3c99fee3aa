/* SPDX-License-Identifier: GPL-2.0-only */
/* btrfs has its own idea of devices: stat() gives a number that is none's, as a file system may be on several. */
#ifndef LOCKDUMP_BTRFS_H
#define LOCKDUMP_BTRFS_H

#include "base/error.h"

#define BTRFS_DEVICE_SIZE 64

/* Names the one device, as in /sys/class/block, of the btrfs that the folder @store is on. An error if it is on several. */
struct error *btrfs_device(const char *store, char ret[static BTRFS_DEVICE_SIZE]);

/* The same of the list of its devices, the folder @sysdir (/sys/fs/btrfs/UUID/devices). */
struct error *btrfs_only_device(const char *sysdir, char ret[static BTRFS_DEVICE_SIZE]);

#endif
