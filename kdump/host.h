/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The distribution's own way to save a crash, in whose capture environment lockdump does its part. Whoever arms, or looks
 * whether it is armed, knows it by one table of operations.
 */
#ifndef LOCKDUMP_HOST_H
#define LOCKDUMP_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define HOST_READ_LIMIT_S 10
#define HOST_LOAD_LIMIT_S 900 /* it may make its initramfs first */

/* What its configuration says, with its own defaults. */
struct host_settings {
	bool enabled;
	char kernel[PATH_MAX]; /* its capture kernel; may be a link */
	char initrd[PATH_MAX]; /* that one's initramfs; empty: it is not made yet */
	char dir[PATH_MAX]; /* the dump is in a folder there; empty: it is in none of this machine's */
	char remote[256]; /* that is where it goes, "NFS host:/export"; empty: it stays here */
	unsigned int keeps; /* how many it keeps; 0: all */
	bool goes_on; /* its owner has said what is done if it cannot be saved */
	unsigned int dump_level;
	char compression[16];
};

struct host {
	const char *name; /* as 'arm --with' has it */
	const char *program; /* which is there if it is installed */
	const char *file; /* its configuration */
	const char *remedy; /* if that is not there */
	bool takes_config; /* what lockdump tells it is in its initramfs, which is made again for each change */

	/* @root is "" but in tests. */
	struct error *(*read)(const char *root, struct host_settings *ret);

	/* What keeps lockdump from doing its part, with incidents in @store; NULL: nothing. */
	struct error *(*check)(const struct host_settings *settings, const char *store);

	/* Why incidents in @store and its dumps do not get on; NULL: they do. */
	const char *(*conflict)(const struct host_settings *settings, const char *store);

	/* NULL if its capture environment will run lockdump. */
	struct error *(*check_hook)(void);

	/* Loads its crash kernel in the place of the one that is loaded; @anew: after it has made its initramfs again. */
	struct error *(*load)(bool anew);
};

/*
 * Runs the shell script @file, and gives the values of the variables @names, which ends with NULL, as lines "NAME=VALUE". The
 * settings of both hosts are such scripts.
 */
#define HOST_LINES_SIZE 4096
struct error *host_run_script(const char *file, const char *const *names,
			      char ret[static HOST_LINES_SIZE]);

/* Has the program @argv load the host's crash kernel in the place of the one that is loaded. */
struct error *host_load(const char *const argv[]);

/* The value of @name in such lines; if it is empty, or not there, @otherwise. */
void host_take(const char *lines, const char *name, const char *otherwise, char *ret, size_t size);

/* What the dump is like that makedumpfile makes with @args, as far as they say. */
void host_take_makedumpfile(const char *args, struct host_settings *ret);

#endif
