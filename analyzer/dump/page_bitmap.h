/* SPDX-License-Identifier: GPL-2.0-only */
/* A bitmap in a dump's file, a bit for each page: read block by block as it is needed. */
#ifndef LOCKDUMP_PAGE_BITMAP_H
#define LOCKDUMP_PAGE_BITMAP_H

#include "dump/file.h"

struct bitmap_block;

struct page_bitmap {
	const struct dump_file *file;
	uint64_t offset; /* in the file */
	uint64_t nr_bits;
	uint64_t *ranks; /* bits before each block */
	size_t nr_ranks; /* blocks whose rank is known */
	struct bitmap_block *cache;
	uint64_t end; /* behind the last bit that is set */
	bool end_known;
};

struct error *page_bitmap_init(struct page_bitmap *bitmap, const struct dump_file *file,
			       uint64_t offset, uint64_t nr_bits);
void page_bitmap_deinit(struct page_bitmap *bitmap);

/* Whether the bit of page @pfn is set. Behind the last bit none is. */
struct error *page_bitmap_test(struct page_bitmap *bitmap, uint64_t pfn, bool *ret);

/* How many bits below that of page @pfn are set. */
struct error *page_bitmap_rank(struct page_bitmap *bitmap, uint64_t pfn, uint64_t *ret);

/* Moves *@pfn on to the next set bit, its own included. False if there is none, or none can be read. */
bool page_bitmap_next(struct page_bitmap *bitmap, uint64_t *pfn);

/* The bit behind the last that is set, as far as they can be read. */
uint64_t page_bitmap_end(struct page_bitmap *bitmap);

#endif
