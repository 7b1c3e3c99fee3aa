/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands between makedumpfile -F and what encrypts its dump, which cannot be read back here: it passes all on, and keeps what
 * reading it back would need, for the proof. That is a flattened dump too: the headers, bitmaps and page descriptors, and of the
 * pages those that the report was made of. It has no end, so that what was not kept is missing, and not zeros, to its reader.
 */
#ifndef LOCKDUMP_SIEVE_H
#define LOCKDUMP_SIEVE_H

#include <stddef.h>

#include "base/error.h"
#include "dump/page_log.h"

#define SIEVE_WHY 160

struct sieve {
	const struct page_log *wanted;
	int kept; /* a file in memory, empty, that takes it */
	size_t most_bytes; /* of memory that it may take */
	/* In shared memory, SIEVE_WHY bytes: why what was kept proves nothing. Empty: it does. */
	char *why;
};

/*
 * Passes stdin on to stdout; @arg is a struct sieve. An error if it cannot, or if the dump ends before its end. That it cannot
 * keep what it should is none.
 */
struct error *sieve_run(void *arg);

#endif
