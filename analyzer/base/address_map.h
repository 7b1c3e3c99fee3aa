/* SPDX-License-Identifier: GPL-2.0-only */
/* From an address to a small number: which task, which lock. Grows as needed; nothing is taken out. */
#ifndef LOCKDUMP_ADDRESS_MAP_H
#define LOCKDUMP_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_map {
	struct address_entry *entries;
	size_t count;
	size_t slots; /* a power of two, or 0 */
	uint64_t factor; /* of the hash */
};

#define ADDRESS_MAP_NONE UINT32_MAX

/* The first number that was put at @address stays. False if there is no memory. Address 0 cannot be put. */
bool address_map_put(struct address_map *map, uint64_t address, uint32_t number);

/* The number at @address, or ADDRESS_MAP_NONE. */
uint32_t address_map_get(const struct address_map *map, uint64_t address);

void address_map_deinit(struct address_map *map);

#endif
