// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct kernel_symbol is three 32-bit numbers since 5.4: how far the symbol,
 * its name and its namespace are from the places of these numbers
 * (include/linux/export-internal.h). The tables, one up to 7.0 for all modules and
 * one for free ones, stand in .rodata and are sorted by name; all names are in
 * __ksymtab_strings behind them. A row of numbers that lead to names in their
 * order is nothing else.
 */
#include "symbols/exported.h"

#include <ctype.h>
#include <string.h>

#define NAME_SIZE    128
#define MAX_DISTANCE (16 << 20) /* bytes to the names */
#define MAX_ENTRIES  (1u << 20)
#define IN_A_ROW     8 /* names in their order that are no accident */

struct entry {
	int32_t value, name, namespace;
};

static bool read_entry(struct memory *memory, uint64_t at, struct entry *ret)
{
	struct error *err = memory_read(memory, at, ret, sizeof(*ret));

	error_destroy(err);
	return !err;
}

static bool read_name(struct memory *memory, uint64_t at, const struct entry *entry,
		      char ret[NAME_SIZE])
{
	struct error *err = memory_read_string(
		memory, at + offsetof(struct entry, name) + (int64_t)entry->name, ret, NAME_SIZE);

	error_destroy(err);
	return !err;
}

uint64_t exported_find(struct memory *memory, const struct exported_table *table, const char *name)
{
	char its_name[NAME_SIZE];
	struct entry entry;
	uint64_t low = 0, high = (table->end - table->start) / sizeof(entry);

	if (high > MAX_ENTRIES)
		return 0;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2,
			 at = table->start + middle * sizeof(entry);
		if (!read_entry(memory, at, &entry) || !read_name(memory, at, &entry, its_name))
			return 0;
		int order = strcmp(name, its_name);
		if (!order)
			return at + (int64_t)entry.value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.')
			return false;
	return true;
}

/* How many entries from @at on have names in their order; each that is looked at is taken from @budget. */
static uint64_t count_entries(struct memory *memory, uint64_t at, uint64_t most, uint64_t *budget)
{
	char names[2][NAME_SIZE] = {};
	struct entry entry;
	uint64_t count = 0;

	for (; count < most && *budget; count++, at += sizeof(entry)) {
		char *name = names[count % 2];
		--*budget;
		if (!read_entry(memory, at, &entry) || entry.name <= 0 ||
		    entry.name > MAX_DISTANCE || !read_name(memory, at, &entry, name) ||
		    !is_name(name) || (count && strcmp(name, names[(count + 1) % 2]) <= 0))
			break;
	}
	return count;
}

bool exported_scan(struct memory *memory, uint64_t from, uint64_t end, uint64_t *budget,
		   struct exported_table *ret)
{
	uint32_t words[PAGE_SIZE / sizeof(uint32_t)];

	for (uint64_t va = from & ~(uint64_t)(PAGE_SIZE - 1); va < end && *budget;
	     va += PAGE_SIZE) {
		struct error *err = memory_read(memory, va, words, sizeof(words));
		if (err) {
			error_destroy(err);
			continue;
		}
		/* The first of a table may be anywhere, and the first that is there of one at the page's beginning. */
		for (size_t i = 0; i + 4 < sizeof(words) / sizeof(*words); i++) {
			uint64_t at = va + i * sizeof(*words);
			/* Those of two that follow each other. */
			if (at < from || !words[i + 1] || words[i + 1] > MAX_DISTANCE ||
			    !words[i + 4] || words[i + 4] > MAX_DISTANCE ||
			    count_entries(memory, at, IN_A_ROW, budget) < IN_A_ROW)
				continue;
			/* Of the page before those were not tried that go over its end. */
			while (at >= from + sizeof(struct entry) &&
			       count_entries(memory, at - sizeof(struct entry), 2, budget) == 2)
				at -= sizeof(struct entry);
			ret->start = at;
			ret->end = at + count_entries(memory, at, MAX_ENTRIES, budget) *
						sizeof(struct entry);
			return true;
		}
	}
	return false;
}
