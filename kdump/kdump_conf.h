/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kdump-utils' /etc/kdump.conf (kdump.conf(5)): where its dump goes, and how it is made. On the rig it is as its owner wrote it;
 * the one in the capture environment always names the target.
 */
#ifndef LOCKDUMP_KDUMP_CONF_H
#define LOCKDUMP_KDUMP_CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define KDUMP_CONF_FILE "/etc/kdump.conf"

enum kdump_target {
	KDUMP_TARGET_PATH, /* none is named: whatever file system "path" is on */
	KDUMP_TARGET_MOUNT, /* a file system, be it NFS */
	KDUMP_TARGET_RAW, /* a partition without one */
	KDUMP_TARGET_SSH,
};

struct kdump_conf {
	enum kdump_target kind;
	char type[16]; /* as the file has it: "ext4", "nfs", "ssh", ...; empty: none is named */
	char target[256]; /* what is behind that */
	char path[PATH_MAX]; /* in the target, may be empty; of KDUMP_TARGET_PATH on the rig */
	char sshkey[PATH_MAX];
	char core_collector[512]; /* the command */
};

/* Reads it under @root. */
struct error *kdump_conf_read(const char *root, struct kdump_conf *ret);

/*
 * The folder that has the dumps' folders, as the file systems are mounted under @root. @ret_point, if it is not NULL, gets the
 * mount point, of KDUMP_TARGET_MOUNT. ERROR_NOT_FOUND: the target is not mounted, or is none that has folders.
 */
struct error *kdump_conf_folder(const struct kdump_conf *conf, const char *root,
				char ret[static PATH_MAX], char *ret_point);

/* Where it goes, in words: "ssh user@host:/var/crash". */
void kdump_conf_describe(const struct kdump_conf *conf, char *ret, size_t size);

#endif
