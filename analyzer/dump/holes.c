// SPDX-License-Identifier: GPL-2.0-only
/* Tables of which pages are missing: the kernel's largest are hundreds of pages, and most of them is enough. */
#include <string.h>

#include "base/cleanup.h"
#include "base/search.h"
#include "dump/memory.h"

#define MAX_MISSING (64 * PAGE_SIZE) /* or half of what was read */

static struct error *add_hole(struct holes *holes, size_t start, size_t end)
{
	size_t count = holes->list.count;

	if (count && holes->list.data[count - 1].end == start) {
		holes->list.data[count - 1].end = end;
		return NULL;
	}
	struct hole *hole = vector_push(&holes->list);
	if (!hole)
		return &error_no_memory;
	*hole = (struct hole){ start, end };
	return NULL;
}

static struct error *read_pages(struct memory *memory, uint64_t va, char *table, size_t size,
				struct holes *holes)
{
	size_t missing = 0;

	for (size_t at = 0, n; at < size; at += n) {
		n = PAGE_SIZE - (va + at) % PAGE_SIZE;
		if (n > size - at)
			n = size - at;
		struct error *err = memory_read(memory, va + at, table + at, n);
		if (!err)
			continue;
		if (err == &error_no_memory)
			return err;
		missing += n;
		/* Not worth its memory. */
		if (missing > MAX_MISSING && missing > at / 2) {
			error_destroy(holes->error);
			holes->error = NULL;
			return err;
		}
		if (holes->error)
			error_destroy(err);
		else
			holes->error = err;
		memset(table + at, 0, n);
		err = add_hole(holes, at, at + n);
		if (err)
			return err;
	}
	return missing < size ? NULL : steal_ptr(holes->error);
}

struct error *memory_read_table(struct memory *memory, uint64_t va, uint64_t size, uint64_t most,
				void *ret, struct holes *holes)
{
	memset(holes, 0, sizeof(*holes));
	if (size > most)
		return error_fault(ERROR_CORRUPT, va, "0x%llx: a table of %llu bytes",
				   (unsigned long long)va, (unsigned long long)size);
	_cleanup_free_ char *table = calloc(1, size ? size : 1);
	if (!table)
		return &error_no_memory;
	struct error *err = read_pages(memory, va, table, size, holes);
	if (err)
		holes_deinit(holes);
	else
		*(void **)ret = steal_ptr(table);
	return err;
}

bool holes_touch(const struct holes *holes, size_t start, size_t size)
{
	/* The first that ends behind @start. */
	size_t i = search_upto(holes->list.data, holes->list.count, end, start);

	return i < holes->list.count && holes->list.data[i].start < start + size;
}

void holes_deinit(struct holes *holes)
{
	vector_deinit(&holes->list);
	error_destroy(holes->error);
	memset(holes, 0, sizeof(*holes));
}
