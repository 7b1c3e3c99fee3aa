// SPDX-License-Identifier: GPL-2.0-only
#include "capture/text_file.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"

char *text_file_read(const char *path, size_t most)
{
	gzFile file = gzopen(path, "re");
	_cleanup_free_ char *text = malloc(most + 1);
	int len = file && text ? gzread(file, text, most) : -1;

	if (file)
		gzclose(file);
	if (len < 0)
		return NULL;
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return steal_ptr(text);
}
