// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vmcoreinfo of before 6.0 does not tell where kallsyms is. Its tables stand in one row in .rodata, each at the
 * next multiple of 4 or 8 bytes:
 *
 *	up to 6.4	offsets relative_base | addresses, num_syms names markers [seqs_of_names]
 *			token_table token_index
 *	since then	num_syms names markers token_table token_index offsets [relative_base]
 *			(404bad70fcf7, "scripts/kallsyms: change the output order")
 *
 * token_index cannot be mistaken: 256 numbers of 16 bits from 0 upwards, and right before it as many strings that
 * are as long as these say. From there it goes backwards: markers are where in names every 256th name begins, 32 bits
 * each; that the names from one marker on end at the next one tells where names begins, and num_syms is before it.
 *
 * seqs_of_names (60443c88f3a8, 6.2 and stable 6.1) has three bytes for each symbol.
 *
 * The search goes from the kernel's data downwards, since between .rodata and _stext there is all of its code.
 */
#include "symbols/kallsyms_scan.h"

#include <string.h>

#include "base/cleanup.h"

#define MAX_IMAGE      (256u << 20)
#define BLOCK	       256 /* bytes; one of them at least is all in the index */
#define INDEX_SIZE     512
#define MAX_TOKENS     8192
#define MAX_MARKERS    (KALLSYMS_MAX_SYMBOLS / MARKER_SPACING)
#define MAX_LAST_NAMES 65536 /* bytes of the 256 names behind the last marker, rarely over 30 */
#define MAX_NAMES_SIZE (64u << 20)
#define MAX_PADDING    8
#define MAX_TRIED      4 /* token tables; a kernel has one */
#define MAX_STEPS      (8u << 20)

struct found {
	uint64_t token_index, token_table, markers, names, num_syms;
	uint32_t nr_markers, last_marker, second_marker;
	uint32_t count;
};

static bool increases(const uint16_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (numbers[i] < numbers[i - 1] + 2) /* a token is a character at least, and a 0 */
			return false;
	return true;
}

/* The index around the block at @va, which increases. */
static bool find_index(struct memory *memory, uint64_t va, uint64_t *ret)
{
	uint16_t numbers[(INDEX_SIZE + BLOCK) / 2]; /* before the block, it, and behind */
	size_t first = BLOCK / 2;
	struct error *err = memory_read(memory, va - BLOCK, numbers, sizeof(numbers));

	if (err) {
		error_destroy(err);
		return false;
	}
	while (first && numbers[first])
		first--;
	*ret = va - BLOCK + first * sizeof(*numbers);
	return !numbers[first] && increases(numbers + first, INDEX_SIZE / sizeof(*numbers));
}

/* The @size bytes before @va, zeros where they are not there; NULL if that cannot be. */
static void *read_before(struct memory *memory, uint64_t va, size_t size, size_t most)
{
	struct holes holes;
	void *bytes = NULL;
	struct error *err = memory_read_table(memory, va - size, size, most, &bytes, &holes);

	if (!err)
		holes_deinit(&holes);
	error_destroy(err);
	return bytes;
}

/* The strings that the index at found->token_index speaks of end right before it. */
static bool find_tokens(struct memory *memory, struct found *found)
{
	uint16_t index[256];
	_cleanup_free_ char *tokens =
		read_before(memory, found->token_index, MAX_TOKENS, MAX_TOKENS);

	struct error *err = memory_read(memory, found->token_index, index, sizeof(index));
	if (err || !tokens) {
		error_destroy(err);
		return false;
	}
	size_t end = MAX_TOKENS; /* of the last string, its 0 included */
	while (end && MAX_TOKENS - end < MAX_PADDING && !tokens[end - 1])
		end--;
	if (end++ >= MAX_TOKENS)
		return false;
	const char *last = memrchr(tokens, '\0', end - 1);
	if (!last || last + 1 - tokens < index[255])
		return false;
	size_t start = last + 1 - tokens - index[255];
	for (size_t i = 0; i < 255; i++)
		if (strnlen(tokens + start + index[i], end - start - index[i]) !=
		    (size_t)index[i + 1] - index[i] - 1)
			return false;
	found->token_table = found->token_index - MAX_TOKENS + start;
	return true;
}

/* Backwards from @end: numbers that get smaller, down to the 0 that is the first. */
static bool find_markers(struct memory *memory, uint64_t end, uint32_t *budget, struct found *found)
{
	uint32_t number = 0, next = UINT32_MAX, count = 0;

	while (count < MAX_MARKERS && *budget) {
		--*budget;
		end -= sizeof(number);
		struct error *err = memory_read_u32(memory, end, &number);
		if (err) {
			error_destroy(err);
			*budget = 0; /* they are no more behind what is not there */
			return false;
		}
		if (number >= next || (count && next - number > MAX_LAST_NAMES))
			return false;
		if (!count++)
			found->last_marker = number;
		if (!number)
			break;
		next = number;
	}
	found->markers = end;
	found->nr_markers = count;
	found->second_marker = next;
	return !number && count > 1;
}

/* Whether @count names at @at end at @end exactly, or, with @padded, a few bytes before. */
static bool names_end(const uint8_t *names, size_t at, uint32_t count, size_t end, bool padded)
{
	while (count--) {
		if (at >= end)
			return false;
		size_t len = names[at++];
		if (len & 0x80 && at < end)
			len = (len & 0x7f) | (size_t)names[at++] << 7;
		at += len;
	}
	return at <= end && end - at < (padded ? MAX_PADDING : 1);
}

/* @num_syms, which is before the names, must be what the markers say. */
static bool is_count(const struct found *found, uint32_t num_syms)
{
	return num_syms > (found->nr_markers - 1) * MARKER_SPACING &&
	       num_syms <= found->nr_markers * MARKER_SPACING;
}

/* Reads all that may be names, and tries each place where they may begin. */
static bool find_names(struct memory *memory, struct found *found)
{
	/* A multiple of 4, as the tables' addresses are. */
	size_t size = (((size_t)found->last_marker + 3) & ~3ull) + MAX_LAST_NAMES;
	_cleanup_free_ uint8_t *bytes =
		read_before(memory, found->markers, size, MAX_NAMES_SIZE + MAX_LAST_NAMES);

	if (!bytes)
		return false;
	for (size_t start = MAX_LAST_NAMES; start >= 2 * sizeof(uint32_t);
	     start -= sizeof(uint32_t)) {
		for (size_t before = 4; before <= 8; before += 4) {
			uint32_t num_syms;
			memcpy(&num_syms, bytes + start - before, sizeof(num_syms));
			if (!is_count(found, num_syms) ||
			    !names_end(bytes + start, 0, MARKER_SPACING, found->second_marker,
				       false) ||
			    !names_end(bytes + start, found->last_marker,
				       num_syms - (found->nr_markers - 1) * MARKER_SPACING,
				       size - start, true))
				continue;
			found->count = num_syms;
			found->names = found->markers - size + start;
			found->num_syms = found->names - before;
			return true;
		}
	}
	return false;
}

/* Right before the tokens, or before seqs_of_names, which are as many as there are symbols. */
static bool find_the_rest(struct memory *memory, struct found *found)
{
	uint32_t budget = MAX_STEPS;

	for (uint64_t end = found->token_table & ~3ull; budget; end -= sizeof(uint32_t)) {
		uint64_t seqs = found->token_table - end;
		if (!find_markers(memory, end, &budget, found))
			continue;
		if (find_names(memory, found) &&
		    (seqs < MAX_PADDING ||
		     (seqs >= found->count * 3ull && seqs < found->count * 3ull + 2 * MAX_PADDING)))
			return true;
		uint32_t cost = (found->last_marker + MAX_LAST_NAMES) / sizeof(uint32_t);
		budget -= cost < budget ? cost : budget;
	}
	return false;
}

static size_t guess(const struct found *found, struct kallsyms_tables ret[KALLSYMS_SCAN_GUESSES])
{
	const struct kallsyms_tables tables = {
		.num_syms = found->num_syms,
		.names = found->names,
		.token_table = found->token_table,
		.token_index = found->token_index,
	};
	uint64_t size = ((uint64_t)found->count * 4 + 7) & ~7ull;
	uint64_t behind = found->token_index + INDEX_SIZE;

	for (size_t i = 0; i < KALLSYMS_SCAN_GUESSES; i++)
		ret[i] = tables;
	ret[0].relative_base = found->num_syms - 8;
	ret[0].offsets = ret[0].relative_base - size;
	ret[1].addresses = found->num_syms - (uint64_t)found->count * 8;
	ret[2].offsets = behind;
	ret[2].relative_base = (behind + (uint64_t)found->count * 4 + 7) & ~7ull;
	ret[3].offsets = behind;
	return KALLSYMS_SCAN_GUESSES;
}

/* The first of the kernel's data that is known: .rodata is before it. */
static bool find_data(const struct vmcoreinfo *info, uint64_t stext, uint64_t *ret)
{
	static const char *const names[] = { "swapper_pg_dir", "init_uts_ns", "node_online_map" };

	*ret = stext + MAX_IMAGE;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t va;
		if (vmcoreinfo_symbol(info, names[i], &va) && va > stext && va < *ret)
			*ret = va;
	}
	return *ret < stext + MAX_IMAGE;
}

size_t kallsyms_scan(struct memory *memory, const struct vmcoreinfo *info,
		     struct kallsyms_tables ret[KALLSYMS_SCAN_GUESSES])
{
	uint16_t page[PAGE_SIZE / sizeof(uint16_t)];
	uint64_t stext, data;
	unsigned int tried = 0;

	if (!vmcoreinfo_symbol(info, "_stext", &stext) || !find_data(info, stext, &data))
		return 0;
	for (uint64_t va = data & ~(uint64_t)(PAGE_SIZE - 1); va > stext; va -= PAGE_SIZE) {
		struct error *err = memory_read(memory, va, page, sizeof(page));
		if (err) {
			/* What was freed after the boot, or is not in the dump. */
			error_destroy(err);
			continue;
		}
		for (size_t at = 0; at < PAGE_SIZE; at += BLOCK) {
			struct found found = {};
			if (increases(page + at / 2, BLOCK / 2) &&
			    find_index(memory, va + at, &found.token_index) &&
			    find_tokens(memory, &found) && tried++ < MAX_TRIED &&
			    find_the_rest(memory, &found))
				return guess(&found, ret);
		}
	}
	return 0;
}
