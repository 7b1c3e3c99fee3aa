// SPDX-License-Identifier: GPL-2.0-only
#include "state/lock_rings.h"

#include "base/error.h"
#include "state/locks.h"

/* Of all rings together: no machine has more tasks than this (PID_MAX_LIMIT), and each waits once. */
#define MAX_NODES (4u << 20)

struct list_head {
	uint64_t next, prev;
};

static bool read_links(struct memory *memory, uint64_t node, struct list_head *ret)
{
	struct error *err = memory_read(memory, node, ret, sizeof(*ret));

	error_destroy(err);
	return !err;
}

/*
 * As each node's prev must be the node that led there, the walk can only come
 * back to where it began, never into a smaller circle.
 */
static bool walk(struct lock_rings *rings, struct memory *memory, uint64_t start, uint32_t number)
{
	struct list_head links;
	uint64_t node = start;

	if (!read_links(memory, start, &links))
		return false;
	do {
		uint64_t previous = node, *place;
		if (rings->nodes.count >= MAX_NODES ||
		    address_map_get(&rings->ring_at, node) != ADDRESS_MAP_NONE ||
		    !(place = vector_push(&rings->nodes)) ||
		    !address_map_put(&rings->ring_at, node, number))
			return false;
		*place = node;
		node = links.next;
		if (!read_links(memory, node, &links) || links.prev != previous)
			return false;
	} while (node != start);
	return true;
}

struct lock_ring *lock_rings_find(struct lock_rings *rings, struct memory *memory, uint64_t node)
{
	uint32_t number = address_map_get(&rings->ring_at, node);

	if (number == ADDRESS_MAP_NONE) {
		number = rings->list.count;
		struct lock_ring *ring = vector_push(&rings->list);
		if (!ring)
			return NULL;
		*ring = (struct lock_ring){ .first = rings->nodes.count, .lock = LOCK_NONE };
		ring->whole = walk(rings, memory, node, number);
		ring->count = rings->nodes.count - ring->first;
	}
	struct lock_ring *ring = &rings->list.data[number];
	return ring->whole ? ring : NULL;
}

bool lock_ring_has(const struct lock_rings *rings, const struct lock_ring *ring, uint64_t address)
{
	return address_map_get(&rings->ring_at, address) == (uint32_t)(ring - rings->list.data);
}

void lock_rings_deinit(struct lock_rings *rings)
{
	address_map_deinit(&rings->ring_at);
	vector_deinit(&rings->list);
	vector_deinit(&rings->nodes);
}
