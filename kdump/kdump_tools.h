/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's kdump-tools (1.8.1 in Debian 12). Its capture kernel boots into the rig's own root file system, by the rig's own
 * initramfs made small, and there kdump-tools.service saves /proc/vmcore by 'kdump-config savecore', then reboots. A drop-in
 * of that unit (scripts/kdump-tools/) runs 'lockdump capture' before it.
 */
#ifndef LOCKDUMP_KDUMP_TOOLS_H
#define LOCKDUMP_KDUMP_TOOLS_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

#define KDUMP_TOOLS_FILE "/etc/default/kdump-tools"

/* What that file says, with kdump-config's own defaults. */
struct kdump_tools {
	bool enabled; /* USE_KDUMP */
	char kernel[PATH_MAX]; /* KDUMP_KERNEL */
	char initrd[PATH_MAX]; /* KDUMP_INITRD */
	char coredir[PATH_MAX]; /* KDUMP_COREDIR: the dump is in a folder there */
	char remote[256]; /* NFS, SSH or FTP: that is where it goes; empty: it stays here */
	unsigned int keeps; /* KDUMP_NUM_DUMPS: how many it keeps; 0: all */
	bool has_fail_cmd; /* KDUMP_FAIL_CMD: what its owner wants done if it cannot be saved */
	unsigned int dump_level; /* by MAKEDUMP_ARGS */
	char compression[16]; /* the same */
};

/* @file is KDUMP_TOOLS_FILE but in tests. It is a script, and is run. */
struct error *kdump_tools_read(const char *file, struct kdump_tools *ret);

/* Why lockdump's incidents in @store and its dumps do not get on; NULL: they do. */
const char *kdump_tools_conflict(const struct kdump_tools *tools, const char *store);

/* NULL if systemd knows the drop-in. */
struct error *kdump_tools_check_hook(void);

/* Loads its crash kernel in the place of the one that is loaded. It may make its initramfs first, which takes minutes. */
struct error *kdump_tools_load(void);

#endif
