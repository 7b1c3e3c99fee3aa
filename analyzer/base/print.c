// SPDX-License-Identifier: GPL-2.0-only
#include "base/print.h"

#include <stdbool.h>

void print_text(const char *s, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
		/* U+0080 to U+009F, the escape sequences that are one character, in UTF-8 */
		bool c1 = *c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;
		bool control = c1 || (*c < ' ' && *c != '\t') || *c == 0x7f;
		fputc(control ? '?' : *c, out);
		c += c1;
	}
}
