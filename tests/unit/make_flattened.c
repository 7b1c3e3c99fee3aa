// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_dump.h"
#include "test.h"

#define FIRST 4096 /* offset of the first block */
#define STEP  1000 /* bytes in a block: nothing is aligned */

static void write_number(FILE *file, uint64_t number)
{
	uint64_t big = htobe64(number);

	assert_int_equal(fwrite(&big, sizeof(big), 1, file), 1);
}

static void write_block(FILE *file, uint64_t offset, const void *bytes, size_t size)
{
	write_number(file, offset);
	write_number(file, size);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

void make_dump_flatten(const struct make_dump *d)
{
	char *bytes = malloc(d->size + 1), wrong[3 * STEP];
	FILE *file = fopen(d->path, "r");

	assert_non_null(bytes);
	assert_non_null(file);
	size_t size = fread(bytes, 1, d->size, file);
	fclose(file);
	file = fopen(d->path, "w");
	assert_non_null(file);
	memset(wrong, 0xbb, sizeof(wrong));
	fwrite("makedumpfile\0\0\0", 1, 16, file);
	write_number(file, 1);
	write_number(file, 1);
	assert_int_equal(fseek(file, FIRST, SEEK_SET), 0);
	for (size_t at = 0; at + sizeof(wrong) < size; at += 2 * STEP)
		write_block(file, at, wrong, sizeof(wrong));
	for (size_t at = (size - 1) / STEP * STEP;; at -= STEP) {
		write_block(file, at, bytes + at, size - at < STEP ? size - at : STEP);
		if (!at)
			break;
	}
	write_number(file, UINT64_MAX);
	write_number(file, UINT64_MAX);
	assert_int_equal(fclose(file), 0);
	free(bytes);
}
