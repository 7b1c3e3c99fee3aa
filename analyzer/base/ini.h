/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration files as systemd has them (systemd.syntax(7)):
 *
 *   # a comment, as is a line that begins with ';'
 *   [Section]
 *   Key=value
 *   Key=a value that goes \
 *     on in the next line
 *
 * Blanks around the key and the value do not count. A '#' or ';' further on in a line is part of the value, and so are
 * quotation marks.
 */
#ifndef LOCKDUMP_INI_H
#define LOCKDUMP_INI_H

#include <stdio.h>

#include "base/error.h"

/* Text is the reader's own, and gone when the next line is read. */
struct ini_entry {
	const char *path;
	const char *section; /* "": before the first one */
	const char *key;
	const char *value; /* "": empty */
	unsigned int line; /* its first, from 1 */
};

typedef struct error *ini_handler(const struct ini_entry *entry, void *context);

/*
 * Gives @handler each "Key=value" of @in, the file @path; stops at its first error, and at a line that is none of
 * the above. Errors begin with the path and the line.
 */
struct error *ini_read(FILE *in, const char *path, ini_handler *handler, void *context);

#endif
