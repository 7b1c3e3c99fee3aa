/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of a dump were read: what a report is made of. It may lie in memory that is shared with the sandbox that reads, so
 * what it says is a hint.
 */
#ifndef LOCKDUMP_PAGE_LOG_H
#define LOCKDUMP_PAGE_LOG_H

#include <stddef.h>
#include <stdint.h>

/* A report of 10,000 tasks reads a third of these. */
#define PAGE_LOG_MOST (1u << 17)

struct page_log {
	uint32_t count; /* above PAGE_LOG_MOST: there were more */
	uint32_t pages[PAGE_LOG_MOST]; /* their numbers, in any order, some twice */
};

void page_log_add(struct page_log *log, uint64_t pfn);

/* The pages, each once, in their order; *@ret must be freed. 0 if there were too many, or there is no memory. */
size_t page_log_sort(const struct page_log *log, uint32_t **ret);

#endif
