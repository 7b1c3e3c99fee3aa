// SPDX-License-Identifier: GPL-2.0-only
#include "base/address_map.h"

#include <stdlib.h>
#include <sys/random.h>

struct address_entry {
	uint64_t address; /* 0: a free place */
	uint32_t number;
};

/* Where @address is, or the free place where it would be. */
static struct address_entry *find(const struct address_map *map, uint64_t address)
{
	size_t slot = address * map->factor >> 32;

	for (;; slot++) {
		struct address_entry *entry = &map->entries[slot & (map->slots - 1)];
		if (!entry->address || entry->address == address)
			return entry;
	}
}

/*
 * Fibonacci hashing, as addresses of objects differ in the middle bits; by a factor that nobody knows, or a dump's
 * addresses could be such that all have one place.
 */
static uint64_t choose_factor(void)
{
	uint64_t secret = 0;

	/* Without it, early in a boot, it goes on as well as it can. */
	if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		secret = 0;
	return (0x9e3779b97f4a7c15ull ^ secret) | 1;
}

static bool grow(struct address_map *map)
{
	struct address_map grown = { .slots = map->slots ? map->slots * 2 : 64,
				     .factor = map->factor ? map->factor : choose_factor() };

	grown.entries = calloc(grown.slots, sizeof(*grown.entries));
	if (!grown.entries)
		return false;
	for (size_t i = 0; i < map->slots; i++)
		if (map->entries[i].address)
			*find(&grown, map->entries[i].address) = map->entries[i];
	grown.count = map->count;
	free(map->entries);
	*map = grown;
	return true;
}

bool address_map_put(struct address_map *map, uint64_t address, uint32_t number)
{
	if (!address)
		return true;
	if (map->count * 2 >= map->slots && !grow(map))
		return false;
	struct address_entry *entry = find(map, address);
	if (!entry->address) {
		*entry = (struct address_entry){ address, number };
		map->count++;
	}
	return true;
}

uint32_t address_map_get(const struct address_map *map, uint64_t address)
{
	if (!map->slots || !address)
		return ADDRESS_MAP_NONE;
	const struct address_entry *entry = find(map, address);
	return entry->address ? entry->number : ADDRESS_MAP_NONE;
}

void address_map_deinit(struct address_map *map)
{
	free(map->entries);
	*map = (struct address_map){};
}
