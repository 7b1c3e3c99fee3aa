// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error *strings_add(struct strings *strings, const char *format, ...)
{
	char **items = realloc(strings->items, (strings->count + 2) * sizeof(*items));

	if (!items)
		return &error_no_memory;
	strings->items = items;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&items[strings->count], format, args);
	va_end(args);
	if (len < 0) {
		items[strings->count] = NULL;
		return &error_no_memory;
	}
	items[++strings->count] = NULL;
	return NULL;
}

bool strings_have(const struct strings *strings, const char *string)
{
	for (size_t i = 0; i < strings->count; i++)
		if (!strcmp(strings->items[i], string))
			return true;
	return false;
}

struct error *strings_add_once(struct strings *strings, const char *string)
{
	return strings_have(strings, string) ? NULL : strings_add(strings, "%s", string);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *strings)
{
	if (strings->count)
		qsort(strings->items, strings->count, sizeof(*strings->items), compare);
}

void strings_deinit(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct strings){ 0 };
}
