// SPDX-License-Identifier: GPL-2.0-only
#include "dump/page_log.h"

#include <stdlib.h>
#include <string.h>

void page_log_add(struct page_log *log, uint64_t pfn)
{
	uint32_t count = log->count;

	if (count && count <= PAGE_LOG_MOST && log->pages[count - 1] == pfn)
		return;
	if (count < PAGE_LOG_MOST && pfn <= UINT32_MAX)
		log->pages[count] = pfn;
	/* One that cannot be noted is as one too many. */
	log->count = count < PAGE_LOG_MOST && pfn <= UINT32_MAX ? count + 1 : PAGE_LOG_MOST + 1;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t page_log_sort(const struct page_log *log, uint32_t **ret)
{
	size_t count = *(const volatile uint32_t *)&log->count, kept = 0;
	uint32_t *pages = count <= PAGE_LOG_MOST ? malloc(count * sizeof(*pages) + 1) : NULL;

	*ret = pages;
	if (!pages)
		return 0;
	memcpy(pages, log->pages, count * sizeof(*pages));
	qsort(pages, count, sizeof(*pages), compare);
	for (size_t i = 0; i < count; i++)
		if (!i || pages[i] != pages[kept - 1])
			pages[kept++] = pages[i];
	return kept;
}
