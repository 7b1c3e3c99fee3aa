// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of a name it is only known where it begins if all before it were read, but
 * the kernel has kallsyms_markers for itself. No symbol tells where: they lie
 * behind the names in every kernel (scripts/kallsyms.c), begin with what is
 * known of them, and rise by as much as 256 names have. Addresses are found by halving: what is missing takes the
 * address before it, and nobody looks up anything there.
 */
#include "symbols/kallsyms_holes.h"

#include <string.h>

#define NR_LOOKED_AT 8 /* markers that tell that they are markers */
#define MAX_SEARCH   (16u << 20)

static struct error *add_lost(struct kallsyms_lost *lost, uint32_t start, uint32_t end)
{
	size_t count = lost->list.count;

	if (count && lost->list.data[count - 1].end >= start) {
		lost->list.data[count - 1].end = end;
		return NULL;
	}
	struct kallsyms_range *place = vector_push(&lost->list);
	if (!place)
		return &error_no_memory;
	*place = (struct kallsyms_range){ start, end };
	return NULL;
}

uint32_t kallsyms_lost_end(const struct kallsyms_lost *lost, uint32_t index)
{
	for (size_t i = 0; i < lost->list.count && lost->list.data[i].start <= index; i++)
		if (index < lost->list.data[i].end)
			return lost->list.data[i].end;
	return index;
}

/* Whether markers begin at @words: the first @nr_known of them are @known. */
static bool are_markers(const uint32_t words[NR_LOOKED_AT], const uint32_t *known, size_t nr_known)
{
	if (words[0])
		return false;
	for (size_t i = 1; i < NR_LOOKED_AT; i++) {
		uint32_t step = words[i] - words[i - 1];
		if (i < nr_known ? words[i] != known[i]
				 : step < 2 * MARKER_SPACING || step > 64 * MARKER_SPACING)
			return false;
	}
	return true;
}

/* Where from @va on markers stand, at an address that is a multiple of 4. */
static struct error *search(struct memory *memory, uint64_t va, const uint32_t *known, size_t count,
			    uint64_t *ret)
{
	uint32_t words[PAGE_SIZE / sizeof(*known) + NR_LOOKED_AT];

	va &= ~(uint64_t)3;
	for (uint64_t end = va + MAX_SEARCH; va < end;) {
		size_t n = PAGE_SIZE - va % PAGE_SIZE, size = NR_LOOKED_AT * sizeof(*known);
		struct error *err = memory_read(memory, va, words, n);
		/* They may go over the end of the page; those that do so into a hole are found by nobody. */
		struct error *rest = memory_read(memory, va + n, (char *)words + n, size);
		if (rest)
			memset((char *)words + n, 0, size);
		for (size_t i = 0; !err && i < n / sizeof(*known); i++) {
			if (are_markers(words + i, known, count)) {
				*ret = va + i * sizeof(*known);
				error_destroy(rest);
				return NULL;
			}
		}
		error_destroy(err);
		error_destroy(rest);
		va += n;
	}
	return error_create(ERROR_NOT_FOUND, "no kallsyms_markers behind the names");
}

struct error *kallsyms_find_markers(const struct kallsyms *kallsyms, struct memory *memory,
				    uint64_t va, uint32_t count, struct kallsyms_markers *ret)
{
	size_t nr_known = (count + MARKER_SPACING - 1) / MARKER_SPACING;
	struct holes holes;
	uint64_t at;

	struct error *err = search(memory, va, kallsyms->markers, nr_known, &at);
	ret->count = (kallsyms->count + MARKER_SPACING - 1) / MARKER_SPACING;
	if (!err)
		err = memory_read_table(memory, at, ret->count * sizeof(*ret->places),
					KALLSYMS_MAX_SYMBOLS, &ret->places, &holes);
	if (!err)
		holes_deinit(&holes);
	return err;
}

struct error *kallsyms_skip_names(struct kallsyms *kallsyms, const struct kallsyms_markers *markers,
				  size_t end, uint32_t *index, size_t *at)
{
	uint32_t group = *index / MARKER_SPACING + (*index % MARKER_SPACING != 0), first = *index;

	while (group < markers->count && markers->places[group] < end)
		kallsyms->markers[group++] = UINT32_MAX;
	if (group < markers->count) {
		*index = group * MARKER_SPACING;
		*at = markers->places[group];
	} else {
		*index = kallsyms->count;
		*at = end;
	}
	return add_lost(&kallsyms->lost_names, first, *index);
}

static void fill(struct kallsyms *kallsyms, uint32_t from, uint32_t start, uint32_t end,
		 bool place_relative)
{
	for (uint32_t i = start; i < end; i++) {
		if (kallsyms->addresses)
			kallsyms->addresses[i] = kallsyms->addresses[from];
		else
			kallsyms->offsets[i] =
				(uint32_t)kallsyms->offsets[from] -
				(place_relative ? (i - from) * (uint32_t)sizeof(int32_t) : 0);
	}
}

struct error *kallsyms_fill_addresses(struct kallsyms *kallsyms, const struct holes *holes,
				      bool place_relative)
{
	size_t size =
		kallsyms->addresses ? sizeof(*kallsyms->addresses) : sizeof(*kallsyms->offsets);
	struct error *err = NULL;

	for (size_t i = 0; !err && i < holes->list.count; i++) {
		uint32_t start = holes->list.data[i].start / size;
		uint32_t end = (holes->list.data[i].end + size - 1) / size;
		/* The symbol before ends nobody knows where; before the first is none. */
		uint32_t from = start ? start - 1 : end;
		if (from < kallsyms->count)
			fill(kallsyms, from, start, end, place_relative);
		err = add_lost(&kallsyms->lost_addresses, start ? start - 1 : 0, end);
	}
	return err;
}

bool kallsyms_count_tokens(struct memory *memory, uint64_t table_va, uint16_t ret[256])
{
	char token[KSYM_NAME_SIZE];
	size_t at = 0;

	for (size_t i = 0; i < 256; i++) {
		struct error *err = memory_read_string(memory, table_va + at, token, sizeof(token));
		error_destroy(err);
		if (err || at > UINT16_MAX)
			return false;
		ret[i] = at;
		at += strlen(token) + 1;
	}
	return true;
}
