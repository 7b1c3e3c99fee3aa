// SPDX-License-Identifier: GPL-2.0-only
#include "dump/list.h"

#define PREV 8 /* struct list_head: next, prev */

void list_walk_init(struct list_walk *walk, struct memory *memory, uint64_t head, uint64_t offset)
{
	*walk = (struct list_walk){
		.memory = memory,
		.head = head,
		.offset = offset,
		.node = head,
		.seen = head,
	};
}

static struct error *circle(const struct list_walk *walk)
{
	return error_fault(ERROR_CORRUPT, walk->node,
			   "0x%llx: the list of 0x%llx goes in a circle after %u entries",
			   (unsigned long long)walk->node, (unsigned long long)walk->head,
			   walk->steps);
}

/*
 * Goes on to walk->node. What follows a node that cannot be read is reached
 * from the other end, up to that node.
 */
static struct error *step(struct list_walk *walk, bool *end_ret)
{
	struct error *err = NULL;
	uint64_t next;

	if (!walk->broken) {
		err = memory_read_u64(walk->memory, walk->node, &next);
		*end_ret = !err && next == walk->head;
		if (!err)
			walk->node = next;
		if (!err || err == &error_no_memory)
			return err;
		walk->broken = walk->node;
		walk->node = walk->seen = walk->head;
	}
	struct error *back = memory_read_u64(walk->memory, walk->node + PREV, &next);
	*end_ret = back || next == walk->head || next == walk->broken;
	walk->node = back ? walk->head : next;
	error_destroy(back);
	if (!*end_ret) {
		error_destroy(err);
		return NULL;
	}
	return err ? err : memory_read_u64(walk->memory, walk->broken, &next);
}

bool list_walk_next(struct list_walk *walk, struct error **err)
{
	bool end = false;

	*err = step(walk, &end);
	if (*err || end)
		return false;
	/* Brent: a circle that leaves out the head comes back to what was remembered. */
	if (walk->node == walk->seen || ++walk->steps > LIST_MAX) {
		*err = circle(walk);
		return false;
	}
	if (!(walk->steps & (walk->steps - 1)))
		walk->seen = walk->node;
	walk->object = walk->node - walk->offset;
	return true;
}
