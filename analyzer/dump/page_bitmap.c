// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rank of a page is counted in three steps: the bits before its block of
 * 4 KB, those before its group in the block, and those of its group. The
 * first are summed up once, a word at a time, as far as anybody has asked; of
 * the blocks themselves only those stay that were asked for last. A machine
 * of 16 TB has a bitmap of 512 MB, and 1 MB of ranks.
 */
#include "dump/page_bitmap.h"

#include <string.h>

#define BLOCK_BYTES 4096
#define BLOCK_BITS  (BLOCK_BYTES * 8)
#define BLOCK_WORDS (BLOCK_BYTES / 8)
#define GROUP_WORDS 8
#define NR_GROUPS   (BLOCK_WORDS / GROUP_WORDS)
#define CACHE_SIZE  64 /* blocks: 8 GB of memory */

struct bitmap_block {
	uint64_t number; /* plus one: 0 is a free place */
	uint64_t words[BLOCK_WORDS];
	uint16_t before[NR_GROUPS]; /* bits before each group */
	uint32_t count; /* all bits */
};

static uint64_t nr_blocks(const struct page_bitmap *bitmap)
{
	return (bitmap->nr_bits + BLOCK_BITS - 1) / BLOCK_BITS;
}

struct error *page_bitmap_init(struct page_bitmap *bitmap, const struct dump_file *file,
			       uint64_t offset, uint64_t nr_bits)
{
	*bitmap = (struct page_bitmap){ .file = file, .offset = offset, .nr_bits = nr_bits };
	bitmap->ranks = calloc(nr_blocks(bitmap) + 1, sizeof(*bitmap->ranks));
	bitmap->cache = calloc(CACHE_SIZE, sizeof(*bitmap->cache));
	return bitmap->ranks && bitmap->cache ? NULL : &error_no_memory;
}

void page_bitmap_deinit(struct page_bitmap *bitmap)
{
	free(bitmap->ranks);
	free(bitmap->cache);
}

static uint32_t count_bits(const uint64_t *words, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += __builtin_popcountll(words[i]);
	return sum;
}

static struct error *load(struct page_bitmap *bitmap, uint64_t number, struct bitmap_block **ret)
{
	struct bitmap_block *block = &bitmap->cache[number % CACHE_SIZE];
	uint64_t first = number * BLOCK_BITS, bits = bitmap->nr_bits - first;

	*ret = block;
	if (block->number == number + 1)
		return NULL;
	block->number = 0;
	if (bits > BLOCK_BITS)
		bits = BLOCK_BITS;
	memset(block->words, 0, sizeof(block->words));
	struct error *err = dump_file_read(bitmap->file, bitmap->offset + number * BLOCK_BYTES,
					   block->words, (bits + 7) / 8, first * 4096);
	if (err)
		return error_prefix(err, "page bitmap");
	if (bits % 64)
		block->words[bits / 64] &= (1ull << bits % 64) - 1;
	block->count = 0;
	for (size_t group = 0; group < NR_GROUPS; group++) {
		block->before[group] = block->count;
		block->count += count_bits(block->words + group * GROUP_WORDS, GROUP_WORDS);
	}
	block->number = number + 1;
	return NULL;
}

struct error *page_bitmap_test(struct page_bitmap *bitmap, uint64_t pfn, bool *ret)
{
	struct bitmap_block *block;

	*ret = false;
	if (pfn >= bitmap->nr_bits)
		return NULL;
	struct error *err = load(bitmap, pfn / BLOCK_BITS, &block);
	if (!err)
		*ret = block->words[pfn % BLOCK_BITS / 64] >> pfn % 64 & 1;
	return err;
}

/* The bits before block @number, for which all before it have been counted. */
static struct error *rank_block(struct page_bitmap *bitmap, uint64_t number, uint64_t *ret)
{
	while (bitmap->nr_ranks < number) {
		struct bitmap_block *block;
		struct error *err = load(bitmap, bitmap->nr_ranks, &block);
		if (err)
			return err;
		uint64_t rank = bitmap->ranks[bitmap->nr_ranks] + block->count;
		bitmap->ranks[++bitmap->nr_ranks] = rank;
	}
	*ret = bitmap->ranks[number];
	return NULL;
}

struct error *page_bitmap_rank(struct page_bitmap *bitmap, uint64_t pfn, uint64_t *ret)
{
	uint64_t word = pfn % BLOCK_BITS / 64, group = word / GROUP_WORDS;
	struct bitmap_block *block;

	if (pfn >= bitmap->nr_bits)
		return rank_block(bitmap, nr_blocks(bitmap), ret);
	struct error *err = rank_block(bitmap, pfn / BLOCK_BITS, ret);
	if (!err)
		err = load(bitmap, pfn / BLOCK_BITS, &block);
	if (err)
		return err;
	*ret += block->before[group];
	*ret += count_bits(block->words + group * GROUP_WORDS, word - group * GROUP_WORDS);
	*ret += __builtin_popcountll(block->words[word] & ((1ull << pfn % 64) - 1));
	return NULL;
}

bool page_bitmap_next(struct page_bitmap *bitmap, uint64_t *pfn)
{
	while (*pfn < bitmap->nr_bits) {
		struct bitmap_block *block;
		struct error *err = load(bitmap, *pfn / BLOCK_BITS, &block);
		if (err) {
			error_destroy(err);
			return false;
		}
		uint64_t word = block->words[*pfn % BLOCK_BITS / 64] >> *pfn % 64;
		if (word) {
			*pfn += __builtin_ctzll(word);
			return true;
		}
		*pfn = (*pfn | 63) + 1;
	}
	return false;
}

static uint64_t find_end(struct page_bitmap *bitmap)
{
	for (uint64_t number = nr_blocks(bitmap); number--;) {
		struct bitmap_block *block;
		struct error *err = load(bitmap, number, &block);
		if (err) {
			error_destroy(err);
			continue;
		}
		for (size_t word = block->count ? BLOCK_WORDS : 0; word--;)
			if (block->words[word])
				return number * BLOCK_BITS + word * 64 + 64 -
				       __builtin_clzll(block->words[word]);
	}
	return 0;
}

uint64_t page_bitmap_end(struct page_bitmap *bitmap)
{
	/* The whole of an empty one is looked through: once. */
	if (!bitmap->end_known)
		bitmap->end = find_end(bitmap);
	bitmap->end_known = true;
	return bitmap->end;
}
