/* SPDX-License-Identifier: GPL-2.0-only */
/* makedumpfile(8): copies /proc/vmcore without the pages that nobody needs. */
#ifndef LOCKDUMP_MAKEDUMPFILE_H
#define LOCKDUMP_MAKEDUMPFILE_H

#include <sys/types.h>

#include "base/error.h"

/* Asks @program for the fastest compression that it was built with: "lzo", "snappy", "zstd" or "zlib". */
struct error *makedumpfile_compression(const char *program, char ret[static 16]);

/* Its version ("1.7.2"). */
struct error *makedumpfile_version(const char *program, char ret[static 32]);

/*
 * Writes a kdump-compressed dump of /proc/vmcore to the new file @name in the folder @dirfd. The file
 * does not grow above @room bytes. Its messages go to stderr.
 */
struct error *makedumpfile_save(unsigned int level, const char *compression, int dirfd,
				const char *name, off_t room);

#endif
