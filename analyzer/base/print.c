// SPDX-License-Identifier: GPL-2.0-only
#include "base/print.h"

#include <stdbool.h>

/* The next character of *@s, which moves on: '?' for a control character. */
static unsigned char next_char(const char **s)
{
	const unsigned char *c = (const unsigned char *)*s;
	/* U+0080 to U+009F, the escape sequences that are one character, in UTF-8 */
	bool c1 = *c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;
	bool control = c1 || (*c < ' ' && *c != '\t') || *c == 0x7f;

	*s += 1 + c1;
	return control ? '?' : *c;
}

void print_text(const char *s, FILE *out)
{
	while (*s)
		fputc(next_char(&s), out);
}

void clean_text(char *s)
{
	const char *from = s;

	while (*from)
		*s++ = next_char(&from);
	*s = '\0';
}
