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

/* A disk that has appeared is mounted within this: a journal is replayed. */
#define MOUNT_LIMIT_S 30

#define CONFIG_PATH "/etc/lockdump/capture.conf"

/* A store, and where the capture kernel finds it. */
struct config_store {
	char folder[PATH_MAX]; /* on the rig */
	char uuid[64]; /* of the file system */
	char fs[32];
	char options[128]; /* to mount it with */
	char path[PATH_MAX]; /* in that file system */
};

struct config {
	char release[72]; /* of the kernel that may crash */
	char boot_id
		[40]; /* its; for lockdump's own capture kernel not in the file, but in the command line */
	char rig[RIG_ID_SIZE]; /* of this machine; may be empty */
	unsigned long reserved_kb; /* what crashkernel= has set aside */

	struct config_store store;
	struct config_store second; /* is tried if that cannot be used; no UUID: there is none */

	/* In the distribution's capture environment; see hosted.h. */
	char with[16]; /* whose it is, as 'arm --with' has it; empty: it is lockdump's own */
	char program[PATH_MAX]; /* the lockdump that a host takes along into its initramfs */
	char host_dir[PATH_MAX]; /* where its dumps go */
	char host_remote[256]; /* else where they go; empty: nowhere else */
	unsigned int
		host_goes_on; /* what is done if it cannot save the vmcore is its own business */

	unsigned int dump_level;
	char compression[16];
	char makedumpfile[32]; /* its version */
	unsigned int encrypt; /* the vmcore, to whom AGE_RECIPIENTS_PATH names; 0: not */

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
	struct strings watchdogs; /* identities of those that are fed: they ran when arm looked */
};

/* A store, as the capture kernel finds it. */
struct place {
	const char *name; /* what messages call it */
	const char *folder; /* on the rig */
	const char *uuid;
	const char *fs;
	const char *options; /* to mount it with */
	const char *path;
	const char *point; /* where it is mounted here */
};

#define MAX_PLACES 2

/* The stores in the order in which they are tried, in @ret, which points into @config; how many there are. */
unsigned int config_places(const struct config *config, struct place ret[static MAX_PLACES]);

/* The limits and the dump level that are used if nothing else is said. */
void config_init(struct config *config);

/* Sets the limits of the dump, the manifest and the whole for a machine with @memory_kb. */
void config_scale(struct config *config, unsigned long memory_kb);

void config_deinit(struct config *config);

struct error *config_write(const struct config *config, FILE *out);
struct error *config_read(const char *path, struct config *ret);

#endif
