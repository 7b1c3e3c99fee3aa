// SPDX-License-Identifier: GPL-2.0-only
#include "dump/list.h"

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

bool list_walk_next(struct list_walk *walk, struct error **err)
{
	*err = memory_read_u64(walk->memory, walk->node, &walk->node);
	if (*err || walk->node == walk->head)
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
