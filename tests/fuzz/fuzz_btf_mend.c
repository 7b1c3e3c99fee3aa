// SPDX-License-Identifier: GPL-2.0-only
/* BTF with holes, and the names in them. The input is their number, a byte; where each begins and its size, of 16 bits each; and the BTF. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "symbols/btf_mend.h"
#include "symbols/btf_names.h"
#include "symbols/types.h"

#define MAX_HOLES 8

/* In order, and not over each other, as memory_read_table() has them. */
static size_t read_holes(const uint8_t *data, size_t size, struct holes *ret)
{
	size_t count = size ? data[0] % (MAX_HOLES + 1) : 0, at = 1, end = 0;
	uint16_t words[2];

	for (; count && size - at >= sizeof(words); count--, at += sizeof(words)) {
		memcpy(words, data + at, sizeof(words));
		struct hole *hole = vector_push(&ret->list);
		*hole = (struct hole){ .start = words[0] > end ? words[0] : end };
		end = hole->end = hole->start + 1 + words[1];
	}
	return at < size ? at : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct holes holes = { .error = error_create(ERROR_EXCLUDED, "excluded") };
	size_t at = read_holes(data, size, &holes), left = size - at;
	uint8_t *blob = malloc(left ? left : 1);
	struct types *types;

	memcpy(blob, data + at, left);
	/* What is behind the end is none of it. */
	while (holes.list.count && holes.list.data[holes.list.count - 1].start >= left)
		holes.list.count--;
	if (holes.list.count && holes.list.data[holes.list.count - 1].end > left)
		holes.list.data[holes.list.count - 1].end = left;
	for (size_t i = 0; i < holes.list.count; i++)
		memset(blob + holes.list.data[i].start, 0,
		       holes.list.data[i].end - holes.list.data[i].start);
	if (!fuzz_ok(btf_mend(blob, left, &holes))) {
		free(blob);
	} else if (fuzz_ok(types_parse(blob, left, &types))) {
		fuzz_ok(btf_names_restore(types));
		types_destroy(types);
	}
	holes_deinit(&holes);
	return 0;
}
