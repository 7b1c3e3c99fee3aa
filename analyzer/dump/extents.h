/* SPDX-License-Identifier: GPL-2.0-only */
/* Which bytes are where: ranges of one address space, each with its place in another, of which later ones win. */
#ifndef LOCKDUMP_EXTENTS_H
#define LOCKDUMP_EXTENTS_H

#include <stdint.h>

#include "base/error.h"
#include "base/vector.h"

struct extent {
	uint64_t start, end;
	uint64_t at; /* the place of start */
};

struct extents {
	VECTOR(struct extent) list;
};

/* Adds [@start, @start + @size), which must not overflow, over what was added before. False: no memory. */
bool extents_add(struct extents *extents, uint64_t start, uint64_t size, uint64_t at);

/* Once all are added, and before any is looked for: sorts them, and cuts off what is covered. */
struct error *extents_finish(struct extents *extents);

/* The extent that has @position, else the next one behind it, or NULL. */
const struct extent *extents_find(const struct extents *extents, uint64_t position);

void extents_deinit(struct extents *extents);

#endif
