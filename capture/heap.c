// SPDX-License-Identifier: GPL-2.0-only
#include "capture/heap.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void heap_keep(size_t size)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	char *space = malloc(size);
	if (space)
		explicit_bzero(space, size);
	free(space);
}
