/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing list of strings: arguments of a program, files, modules. */
#ifndef LOCKDUMP_STRINGS_H
#define LOCKDUMP_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct strings {
	char **items; /* ends with NULL once it has any, as execv() wants it */
	size_t count;
};

struct error *strings_add(struct strings *strings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Unless it is there already. */
struct error *strings_add_once(struct strings *strings, const char *string);

bool strings_have(const struct strings *strings, const char *string);
void strings_sort(struct strings *strings);
void strings_deinit(struct strings *strings);

#endif
