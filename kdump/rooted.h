/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of the running machine under another root, which is "" but in tests. */
#ifndef LOCKDUMP_ROOTED_H
#define LOCKDUMP_ROOTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Opens the file @path under @root for reading; NULL with errno. */
FILE *rooted_open(const char *root, const char *path);

/* Its first line, at most @size bytes with the 0 at the end, without the newline; false, and "": it cannot be read. */
bool rooted_line(const char *root, const char *path, char *ret, size_t size);

#endif
