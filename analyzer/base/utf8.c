// SPDX-License-Identifier: GPL-2.0-only
#include "base/utf8.h"

/* How many bytes one that begins so has, and the least code for which it takes as many. */
static size_t length_of(unsigned char first, uint32_t *least)
{
	static const uint32_t leasts[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = first < 0x80		 ? 1
			: (first & 0xe0) == 0xc0 ? 2
			: (first & 0xf0) == 0xe0 ? 3
			: (first & 0xf8) == 0xf0 ? 4
						 : 0;

	*least = leasts[length];
	return length;
}

size_t utf8_next(const char *s, uint32_t *ret)
{
	unsigned char first = s[0];
	uint32_t least, code;
	size_t length = length_of(first, &least);

	if (!length)
		return 0;
	code = length == 1 ? first : first & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (ret)
		*ret = code;
	return length;
}
