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

static bool is_step(uint32_t before, uint32_t behind)
{
	return behind > before && behind - before >= 2 * MARKER_SPACING &&
	       behind - before <= 64 * MARKER_SPACING;
}

/* Whether markers begin at @words: the first @nr_known of them are @known. */
static bool are_markers(const uint32_t words[NR_LOOKED_AT], const uint32_t *known, size_t nr_known)
{
	if (words[0])
		return false;
	for (size_t i = 1; i < NR_LOOKED_AT; i++) {
		if (i < nr_known ? words[i] != known[i] : !is_step(words[i - 1], words[i]))
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
		struct error *rest =
			err ? NULL : memory_read(memory, va + n, (char *)words + n, size);
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

/* How many numbers from @at on rise as markers do, and the last of them. */
static uint32_t count_rising(struct memory *memory, uint64_t at, uint32_t *last_ret)
{
	uint32_t number, count = 0;

	for (; count <= KALLSYMS_MAX_SYMBOLS / MARKER_SPACING; count++, at += sizeof(number)) {
		struct error *err = memory_read_u32(memory, at, &number);
		if (err || (count && !is_step(*last_ret, number))) {
			error_destroy(err);
			break;
		}
		*last_ret = number;
	}
	return count;
}

/*
 * Where @total markers begin of which the first page is not there: what is behind a page that cannot be read, and
 * rises up to the last of them.
 */
static bool search_rest(struct memory *memory, uint64_t va, uint32_t total, uint64_t *ret)
{
	bool lost = false;

	va &= ~(uint64_t)(PAGE_SIZE - 1);
	for (uint64_t end = va + MAX_SEARCH; va < end; va += PAGE_SIZE) {
		uint32_t last, word;
		struct error *err = memory_read_u32(memory, va, &word);
		if (!err && lost) {
			uint32_t count = count_rising(memory, va, &last);
			if (count >= NR_LOOKED_AT && count <= total &&
			    (total - count) * sizeof(word) <= PAGE_SIZE) {
				*ret = va - (total - count) * sizeof(word);
				return true;
			}
		}
		lost = err;
		error_destroy(err);
	}
	return false;
}

struct error *kallsyms_find_markers(const struct kallsyms *kallsyms, struct memory *memory,
				    uint64_t va, uint32_t count, struct kallsyms_markers *ret)
{
	size_t nr_known = (count + MARKER_SPACING - 1) / MARKER_SPACING;
	struct holes holes;
	uint64_t at;

	ret->count = (kallsyms->count + MARKER_SPACING - 1) / MARKER_SPACING;
	struct error *err = search(memory, va, kallsyms->markers, nr_known, &at);
	if (err && search_rest(memory, va, ret->count, &at)) {
		error_destroy(err);
		err = NULL;
	}
	if (!err)
		err = memory_read_table(memory, at, ret->count * sizeof(*ret->places),
					KALLSYMS_MAX_SYMBOLS, &ret->places, &holes);
	if (!err)
		holes_deinit(&holes);
	return err;
}

bool kallsyms_count(struct memory *memory, uint64_t names, uint32_t *ret)
{
	uint64_t markers;
	uint32_t last, groups, count = 0;
	struct error *err = search(memory, names, NULL, 0, &markers);

	if (err) {
		error_destroy(err);
		return false;
	}
	groups = count_rising(memory, markers, &last);
	/* Those behind the last marker end where the markers begin, or a few bytes before. */
	uint64_t at = names + last;
	for (uint8_t length[2] = { 1 }; at < markers && count <= MARKER_SPACING; count++) {
		err = memory_read(memory, at, length, sizeof(length));
		if (err) {
			error_destroy(err);
			return false;
		}
		if (!length[0])
			break;
		at += length[0] & 0x80 ? 2 + ((length[0] & 0x7f) | length[1] << 7) : 1 + length[0];
	}
	*ret = (groups - 1) * MARKER_SPACING + count;
	return at <= markers && markers - at < sizeof(uint64_t) && count && count <= MARKER_SPACING;
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
