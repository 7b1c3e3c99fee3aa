// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own words: lines of the log, seconds in front, as the time line and the verdict read them. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void read_lines(const uint8_t *data, size_t size, struct dmesg *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t at = 0; at < size;) {
		const uint8_t *newline = memchr(data + at, '\n', size - at);
		size_t len = newline ? (size_t)(newline - data) - at : size - at;
		char *text = arena_strndup(&ret->text, (const char *)data + at, len);
		struct dmesg_line *line = vector_push(&ret->lines);
		uint64_t seconds = strtoull(text, &text, 10);
		*line = (struct dmesg_line){ seconds * 1000000000, 0, text };
		at += len + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dmesg dmesg;

	read_lines(data, size, &dmesg);
	fuzz_verdict(NULL, &dmesg);
	dmesg_deinit(&dmesg);
	return 0;
}
