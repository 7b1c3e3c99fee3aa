// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 65536

struct arena_block {
	struct arena_block *previous;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->last;
	size_t align = alignof(max_align_t);

	if (size > SIZE_MAX - BLOCK_SIZE)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		*block = (struct arena_block){ .previous = arena->last, .size = room };
		arena->last = block;
	}
	void *ret = block->bytes + block->used;
	block->used += size;
	return ret;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	len = strnlen(s, len);
	char *ret = arena_alloc(arena, len + 1);
	if (!ret)
		return NULL;
	memcpy(ret, s, len);
	ret[len] = '\0';
	return ret;
}

void arena_deinit(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *block = arena->last;
		arena->last = block->previous;
		free(block);
	}
}
