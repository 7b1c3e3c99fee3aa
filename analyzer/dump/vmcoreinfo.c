// SPDX-License-Identifier: GPL-2.0-only
#include "dump/vmcoreinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vmcoreinfo_string(const struct vmcoreinfo *info, const char *key, const char **ret,
		       size_t *size_ret)
{
	size_t len = strlen(key);
	const char *at = info->text, *end = info->text + info->size;

	while (at && at < end) {
		const char *newline = memchr(at, '\n', end - at);
		const char *stop = newline ? newline : end;
		if ((size_t)(stop - at) > len && !memcmp(at, key, len) && at[len] == '=') {
			*ret = at + len + 1;
			*size_ret = stop - *ret;
			return true;
		}
		at = newline ? newline + 1 : NULL;
	}
	return false;
}

static bool parse(const struct vmcoreinfo *info, const char *key, int base, uint64_t *ret)
{
	const char *value;
	char *end, copy[32];
	size_t size;

	if (!vmcoreinfo_string(info, key, &value, &size) || !size || size >= sizeof(copy))
		return false;
	memcpy(copy, value, size);
	copy[size] = '\0';
	*ret = strtoull(copy, &end, base);
	return !*end;
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	char key[128];

	snprintf(key, sizeof(key), "SYMBOL(%s)", name);
	return parse(info, key, 16, ret);
}

bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *key, uint64_t *ret)
{
	return parse(info, key, 0, ret);
}

bool vmcoreinfo_hex(const struct vmcoreinfo *info, const char *key, uint64_t *ret)
{
	return parse(info, key, 16, ret);
}
