/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists that waiters are on. A list_head's list is a ring: from any waiter
 * on it all others are come by, and the lock's own head where it has one. Each
 * ring is walked once, however many tasks wait on it.
 */
#ifndef LOCKDUMP_LOCK_RINGS_H
#define LOCKDUMP_LOCK_RINGS_H

#include "base/address_map.h"
#include "base/vector.h"
#include "dump/memory.h"

struct lock_ring {
	size_t first, count; /* of its nodes */
	bool whole; /* it closes, and each node's prev is the one before */
	uint32_t lock; /* what it belongs to: place in locks->list; LOCK_NONE: not found */
	bool searched; /* lock is what there is to know */
};

struct lock_rings {
	struct address_map ring_at; /* node -> place in list */
	VECTOR(struct lock_ring) list;
	VECTOR(uint64_t) nodes;
};

/* The ring that the list_head at @node is in; NULL if it is in none that is whole. */
struct lock_ring *lock_rings_find(struct lock_rings *rings, struct memory *memory, uint64_t node);

/* Whether the node at @address is in @ring. */
bool lock_ring_has(const struct lock_rings *rings, const struct lock_ring *ring, uint64_t address);

void lock_rings_deinit(struct lock_rings *rings);

#endif
