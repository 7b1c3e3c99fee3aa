/* SPDX-License-Identifier: GPL-2.0-only */
/* makedumpfile(8): copies /proc/vmcore without the pages that nobody needs. */
#ifndef LOCKDUMP_MAKEDUMPFILE_H
#define LOCKDUMP_MAKEDUMPFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* -d: what is left out. One bit each for zero pages, the cache, the private cache, user data, free pages. */
#define MAKEDUMPFILE_MAX_LEVEL 31u

/* What makedumpfile can call a compression, whether or not this one was built with it. */
bool makedumpfile_knows(const char *compression);

/* Whether @program was built with @compression. */
struct error *makedumpfile_can(const char *program, const char *compression);

/* Asks @program for the fastest compression that it was built with: "lzo", "snappy", "zstd" or "zlib". */
struct error *makedumpfile_compression(const char *program, char ret[static 16]);

/* Its version ("1.7.2"). */
struct error *makedumpfile_version(const char *program, char ret[static 32]);

/* Its option for that compression. */
const char *makedumpfile_flag(const char *compression);

/* Of --message-level: common messages, errors, and the counts of pages; no progress bar, which fills a serial log. */
#define MAKEDUMPFILE_MESSAGES "22"

/*
 * Writes a kdump-compressed dump of /proc/vmcore to the new file @name in the folder @dirfd. The file
 * does not grow above @room bytes. Its messages go to stderr.
 */
struct error *makedumpfile_save(unsigned int level, const char *compression, int dirfd,
				const char *name, off_t room);

#endif
