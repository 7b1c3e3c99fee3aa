/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that somebody names, or that lie where one is looked for, may be anything: a FIFO would never be open. */
#ifndef LOCKDUMP_REGULAR_FILE_H
#define LOCKDUMP_REGULAR_FILE_H

#include <stdint.h>

#include "base/error.h"

/* Opens @path to be read; an error, which begins with it, says if it is no regular file. */
struct error *regular_file_open(const char *path, int *fd_ret, uint64_t *size_ret);

#endif
