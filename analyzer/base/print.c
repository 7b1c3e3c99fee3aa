// SPDX-License-Identifier: GPL-2.0-only
#include "base/print.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* C0 and C1, each of the latter as good as an escape sequence. */
static bool is_control(uint32_t code)
{
	return (code < ' ' && code != '\t') || (code >= 0x7f && code <= 0x9f);
}

/* Ends a line, or has what follows shown before what was there (Unicode's UAX #9). */
static bool is_misleading(uint32_t code)
{
	return (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The next character of @s, which is not at its end: its length, and @ret is what is shown in its place, or NULL. */
static size_t next_char(const char *s, const char **ret)
{
	uint32_t code;
	size_t length = utf8_next(s, &code);

	/* A terminal that knows no UTF-8 takes stray bytes for C1. */
	*ret = !length || is_control(code) || is_misleading(code) ? "?" : NULL;
	return length ? length : 1;
}

void print_text(const char *s, FILE *out)
{
	const char *from = s, *instead;

	for (size_t length; *s; s += length) {
		length = next_char(s, &instead);
		if (!instead)
			continue;
		fwrite(from, 1, s - from, out);
		fputs(instead, out);
		from = s + length;
	}
	fwrite(from, 1, s - from, out);
}

void clean_text(char *s)
{
	const char *from = s, *instead;

	for (size_t length; *from; from += length) {
		length = next_char(from, &instead);
		size_t kept = instead ? 1 : length;
		memmove(s, instead ? instead : from, kept);
		s += kept;
	}
	*s = '\0';
}
