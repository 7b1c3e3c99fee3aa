/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LOCKDUMP_TEXT_FILE_H
#define LOCKDUMP_TEXT_FILE_H

#include <stddef.h>

/* Up to @most bytes of a file, plain or gzipped, without its last newline; NULL where it cannot be read, errno says why. */
char *text_file_read(const char *path, size_t most);

#endif
