/* SPDX-License-Identifier: GPL-2.0-only */
/* The vmcore, encrypted before it reaches the disk. */
#ifndef LOCKDUMP_ENCRYPTION_H
#define LOCKDUMP_ENCRYPTION_H

#include <sys/types.h>

#include "kdump/sieve.h"

struct encryption {
	unsigned int level; /* of the dump */
	const char *compression;
	int out; /* the file that takes it */
	off_t room; /* bytes that it may have at most */
	struct sieve sieve; /* keeps what is needed to read it back */
};

/*
 * Writes a flattened kdump-compressed dump of /proc/vmcore, encrypted to those whom AGE_RECIPIENTS_PATH names. Messages go to
 * stderr.
 */
struct error *encryption_save(struct encryption *encryption);

#endif
