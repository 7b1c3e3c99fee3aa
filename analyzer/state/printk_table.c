// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "state/printk.h"

#define FIRST_STEP (16 * PAGE_SIZE)

/* Room for @wanted bytes, and a flag for each page of them. */
static bool grow(struct printk_table *table, uint64_t wanted)
{
	uint8_t *bytes = realloc(table->bytes, wanted);
	if (!bytes)
		return false;
	table->bytes = bytes;
	uint8_t *missing = realloc(table->missing, (table->start + wanted) / PAGE_SIZE + 1);
	if (!missing)
		return false;
	table->missing = missing;
	return true;
}

struct error *printk_table_read(struct printk_table *table, struct memory *memory, uint64_t va,
				uint64_t size, uint64_t most)
{
	uint64_t room = 0, lost = 0, n;

	*table = (struct printk_table){ .size = size, .start = va % PAGE_SIZE };
	if (size > most)
		return error_fault(ERROR_CORRUPT, va, "0x%llx: a table of %llu bytes",
				   (unsigned long long)va, (unsigned long long)size);
	for (uint64_t done = 0; done < size; done += n) {
		n = PAGE_SIZE - (table->start + done) % PAGE_SIZE;
		n = n < size - done ? n : size - done;
		/* No more at once than is there already: a table that the dump does not have costs no memory. */
		if (done + n > room) {
			room = room ? 2 * room : FIRST_STEP;
			room = room < size ? room : size;
			if (!grow(table, room))
				return &error_no_memory;
		}
		struct error *err = memory_read(memory, va + done, table->bytes + done, n);
		table->missing[(table->start + done) / PAGE_SIZE] = !!err;
		if (!err)
			continue;
		memset(table->bytes + done, 0, n);
		lost += n;
		if (lost > done / 2 + FIRST_STEP || lost == size)
			return err;
		if (table->error)
			error_destroy(err);
		else
			table->error = err;
	}
	return NULL;
}

void printk_table_deinit(struct printk_table *table)
{
	free(table->bytes);
	free(table->missing);
	error_destroy(table->error);
}

bool printk_table_has(const struct printk_table *table, uint64_t offset, uint64_t size)
{
	uint64_t last = offset + (size ? size - 1 : 0);

	for (uint64_t page = (table->start + offset) / PAGE_SIZE;
	     page <= (table->start + last) / PAGE_SIZE; page++)
		if (table->missing[page])
			return false;
	return true;
}
