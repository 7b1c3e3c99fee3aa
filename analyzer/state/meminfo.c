// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters are in vm_zone_stat and vm_node_stat, whose places enum
 * zone_stat_item and enum node_stat_item name: mm/vmstat.c. What CPUs have
 * counted for themselves and not added yet (a few dozen pages each) is left
 * out, as in /proc/meminfo.
 */
#include "state/meminfo.h"

#define MAX_NODES 1024 /* CONFIG_NODES_SHIFT is 10 at most */
#define MAX_ZONES 8
#define WMARK_LOW 1 /* enum zone_watermarks */

/* The sum of some counters, which may be below 0 for a moment. */
static uint64_t counters(struct kernel *kernel, enum ksym_id array, const char *type,
			 const char *const *names)
{
	uint64_t sum = 0;

	for (; *names; names++) {
		uint64_t address, value;
		int64_t index;
		struct error *err = symbols_address(&kernel->symbols, array, &address);
		if (!err && !types_enumerator(kernel->symbols.types, type, *names, &index))
			err = error_create(ERROR_NOT_FOUND, "BTF: enum %s has no %s", type, *names);
		if (!err)
			err = memory_read_u64(&kernel->memory, address + index * sizeof(value),
					      &value);
		if (err) {
			error_destroy(err);
			return MEMINFO_UNKNOWN;
		}
		sum += value;
	}
	return (int64_t)sum > 0 ? sum : 0;
}

/* Counters of all nodes; those of slab memory, in bytes for a cgroup, are in pages here: vmstat_item_in_bytes(). */
#define NODE_COUNTERS(kernel, ...)                            \
	counters(kernel, KSYM_vm_node_stat, "node_stat_item", \
		 (const char *const[]){ __VA_ARGS__, NULL })
#define ZONE_COUNTERS(kernel, ...)                            \
	counters(kernel, KSYM_vm_zone_stat, "zone_stat_item", \
		 (const char *const[]){ __VA_ARGS__, NULL })

static uint64_t variable(struct kernel *kernel, enum ksym_id ksym)
{
	uint64_t value;
	struct error *err = kernel_variable(kernel, ksym, sizeof(value), &value);

	if (!err)
		return value;
	error_destroy(err);
	return MEMINFO_UNKNOWN;
}

struct zones {
	struct member first, low, boost; /* of struct pglist_data, struct zone */
	uint32_t zone_size;
};

/* Adds the low watermarks of the zones of @node, a struct pglist_data. */
static struct error *add_watermarks(struct kernel *kernel, const struct zones *zones, uint64_t node,
				    uint64_t *sum)
{
	for (uint32_t i = 0; i < zones->first.count && i < MAX_ZONES; i++) {
		uint64_t zone = node + zones->first.offset + i * zones->zone_size, low, boost = 0;
		struct error *err = memory_read_u64(
			&kernel->memory, zone + zones->low.offset + WMARK_LOW * sizeof(low), &low);
		if (!err && zones->boost.size)
			err = member_read(&kernel->memory, zone, &zones->boost, &boost);
		if (err)
			return err;
		*sum += low + boost;
	}
	return NULL;
}

/* The sum over all zones of all nodes: node_data[], or without CONFIG_NUMA contig_page_data. */
static struct error *low_watermarks(struct kernel *kernel, uint64_t *ret)
{
	const uint64_t *at = kernel->symbols.at;
	struct zones zones;
	const struct member_wanted wanted[] = {
		{ "pglist_data", "node_zones", &zones.first },
		{ "zone", "_watermark", &zones.low },
		{ "zone", "watermark_boost", &zones.boost, true },
	};
	uint64_t count = 1, node;

	*ret = 0;
	zones.zone_size = types_sizeof(kernel->symbols.types, "zone");
	struct error *err =
		types_resolve(kernel->symbols.types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err && !at[KSYM_node_data]) {
		err = symbols_address(&kernel->symbols, KSYM_contig_page_data, &node);
		return err ? err : add_watermarks(kernel, &zones, node, ret);
	}
	if (!err && at[KSYM_nr_node_ids])
		err = kernel_variable(kernel, KSYM_nr_node_ids, sizeof(uint32_t), &count);
	for (uint64_t i = 0; !err && i < count && i < MAX_NODES; i++) {
		err = memory_read_u64(&kernel->memory, at[KSYM_node_data] + i * sizeof(node),
				      &node);
		if (!err && node)
			err = add_watermarks(kernel, &zones, node, ret);
	}
	return err;
}

/* As si_mem_available() has it, the same from 4.6 to 7.2. */
static uint64_t available(struct kernel *kernel, uint64_t free)
{
	uint64_t reserve = variable(kernel, KSYM_totalreserve_pages), low;
	uint64_t cache = NODE_COUNTERS(kernel, "NR_ACTIVE_FILE", "NR_INACTIVE_FILE");
	uint64_t reclaimable =
		NODE_COUNTERS(kernel, "NR_SLAB_RECLAIMABLE_B", "NR_KERNEL_MISC_RECLAIMABLE");
	struct error *err = low_watermarks(kernel, &low);

	if (err || free == MEMINFO_UNKNOWN || reserve == MEMINFO_UNKNOWN ||
	    cache == MEMINFO_UNKNOWN || reclaimable == MEMINFO_UNKNOWN) {
		error_destroy(err);
		return MEMINFO_UNKNOWN;
	}
	/* Half of either, or as much as the low watermark, is thought to be needed. */
	cache -= cache / 2 < low ? cache / 2 : low;
	reclaimable -= reclaimable / 2 < low ? reclaimable / 2 : low;
	int64_t ret = free + cache + reclaimable - reserve;
	return ret > 0 ? ret : 0;
}

void meminfo_init(struct meminfo *meminfo, struct kernel *kernel)
{
	*meminfo = (struct meminfo){
		.total = variable(kernel, KSYM__totalram_pages),
		.free = ZONE_COUNTERS(kernel, "NR_FREE_PAGES"),
		.slab = NODE_COUNTERS(kernel, "NR_SLAB_RECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE_B"),
		.slab_reclaimable = NODE_COUNTERS(kernel, "NR_SLAB_RECLAIMABLE_B"),
		.anon = NODE_COUNTERS(kernel, "NR_ANON_MAPPED"),
		.file = NODE_COUNTERS(kernel, "NR_FILE_PAGES"),
		.shared = NODE_COUNTERS(kernel, "NR_SHMEM"),
		.dirty = NODE_COUNTERS(kernel, "NR_FILE_DIRTY"),
		.writeback = NODE_COUNTERS(kernel, "NR_WRITEBACK"),
		.swap_total = variable(kernel, KSYM_total_swap_pages),
		.swap_free = variable(kernel, KSYM_nr_swap_pages),
	};
	meminfo->available = available(kernel, meminfo->free);
	/* It may be below 0 for a moment. */
	if (meminfo->swap_free != MEMINFO_UNKNOWN && (int64_t)meminfo->swap_free < 0)
		meminfo->swap_free = 0;
}
