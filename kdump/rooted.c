// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/rooted.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"

FILE *rooted_open(const char *root, const char *path)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s%s", root, path);
	return fopen(file, "re");
}

bool rooted_line(const char *root, const char *path, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, path);
	bool read = file && fgets(ret, size, file);

	if (!read)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return read;
}
