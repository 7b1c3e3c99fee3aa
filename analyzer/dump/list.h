/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks a kernel list (struct list_head) in a dump: guarded against cycles and broken links. */
#ifndef LOCKDUMP_LIST_H
#define LOCKDUMP_LIST_H

#include "dump/memory.h"

/* A machine of millions of tasks is none; a list that is longer goes in a circle. */
#define LIST_MAX (8u << 20)

struct list_walk {
	struct memory *memory;
	uint64_t head;
	uint64_t offset; /* of the list_head in its object */
	uint64_t node;
	uint64_t seen; /* remembered at each power of two: it comes again only in a circle */
	uint32_t steps;
	uint64_t broken; /* the node that could not be read, 0 so far: the walk goes backwards */
	uint64_t object; /* the one that the walk is at */
};

void list_walk_init(struct list_walk *walk, struct memory *memory, uint64_t head, uint64_t offset);

/*
 * Goes to the next object. False at the end, and on an error, which *@err then is. After an object that
 * cannot be read come those behind it, the last one first, and then the error.
 */
bool list_walk_next(struct list_walk *walk, struct error **err);

#endif
