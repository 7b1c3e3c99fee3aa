/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is let go all at once: names and stacks live as long as the dump they were read from. */
#ifndef LOCKDUMP_ARENA_H
#define LOCKDUMP_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *last;
};

/* @size bytes, not cleared, aligned for anything; NULL if there is no memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of the first @len bytes of @s, with a 0 at the end; NULL if there is no memory. */
char *arena_strndup(struct arena *arena, const char *s, size_t len);

void arena_deinit(struct arena *arena);

#endif
