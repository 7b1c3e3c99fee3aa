/* SPDX-License-Identifier: GPL-2.0-only */
/* What 'arm' tells 'capture': a file in the initramfs. */
#ifndef LOCKDUMP_CONFIG_H
#define LOCKDUMP_CONFIG_H

#include <limits.h>
#include <stdio.h>

#include "base/error.h"
#include "kdump/rig_id.h"
#include "kdump/strings.h"

/* How often the vmcore is taken at most, until one is proven. */
#define VMCORE_TRIES 3

#define CONFIG_PATH "/etc/lockdump/capture.conf"

struct config {
	char release[72]; /* of the kernel that may crash */
	char boot_id[40]; /* its */
	char rig[RIG_ID_SIZE]; /* of this machine; may be empty */
	unsigned long reserved_kb; /* what crashkernel= has set aside */

	char store[PATH_MAX]; /* on the rig */
	char store_uuid[64]; /* of the file system */
	char store_fs[32];
	char store_path[PATH_MAX]; /* in that file system */

	unsigned int dump_level;
	char compression[16]; /* the fastest that this makedumpfile has */

	/* Time limits, seconds. */
	unsigned int device_s;
	unsigned int record_s;
	unsigned int dmesg_s;
	unsigned int report_s;
	unsigned int vmcore_s;
	unsigned int proof_s;
	unsigned int manifest_s;
	unsigned int overall_s;

	struct strings modules; /* files in the initramfs, in load order */
};

/* The limits and the dump level that are used if nothing else is said. */
void config_init(struct config *config);

/* Sets the limits of the dump, the manifest and the whole for a machine with @memory_kb. */
void config_scale(struct config *config, unsigned long memory_kb);

void config_deinit(struct config *config);

struct error *config_write(const struct config *config, FILE *out);
struct error *config_read(const char *path, struct config *ret);

#endif
