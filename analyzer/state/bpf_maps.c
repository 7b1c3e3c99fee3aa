// SPDX-License-Identifier: GPL-2.0-only
/*
 * All BPF maps are in map_idr by their id: kernel/bpf/syscall.c. An idr is an
 * xarray: the head is an entry itself, or a pointer to a node with bit 1 set;
 * a node has 64 slots and a shift, 0 in the lowest level: include/linux/xarray.h.
 */
#include "state/bpf_maps.h"

#include <string.h>

#define XA_SLOTS      64
#define XA_MAX_SHIFT  60
#define MAX_MAP_NAME  16 /* BPF_OBJ_NAME_LEN */
#define MAX_NODES     (1u << 16)
#define IS_NODE(e)    (((e)&3) == 2 && (e) > 4096) /* xa_is_node() */
#define IS_POINTER(e) (!((e)&3) && (e))

struct search {
	struct kernel *kernel;
	const char *name;
	struct member shift, slots, map_name;
	uint32_t visits;
	uint64_t map; /* 0: not found */
};

static struct error *visit(struct search *search, uint64_t entry, uint64_t most_shift);

static struct error *visit_node(struct search *search, uint64_t node, uint64_t most_shift)
{
	struct memory *memory = &search->kernel->memory;
	uint64_t slots[XA_SLOTS], shift;

	if (++search->visits > MAX_NODES)
		return error_fault(ERROR_CORRUPT, node, "map_idr has over %u nodes", MAX_NODES);
	struct error *err = member_read(memory, node, &search->shift, &shift);
	if (!err)
		err = memory_read(memory, node + search->slots.offset, slots, sizeof(slots));
	/* Each level has a smaller shift than the one above it: no circle gets far. */
	if (!err && shift > most_shift)
		err = error_fault(ERROR_CORRUPT, node, "map_idr: a node of shift %llu",
				  (unsigned long long)shift);
	for (size_t i = 0; !err && i < XA_SLOTS; i++)
		err = visit(search, slots[i], shift ? shift - 1 : 0);
	return err;
}

static struct error *visit(struct search *search, uint64_t entry, uint64_t most_shift)
{
	char name[MAX_MAP_NAME + 1];

	if (IS_NODE(entry))
		return visit_node(search, entry & ~3ull, most_shift);
	if (!IS_POINTER(entry))
		return NULL;
	struct error *err = memory_read_string(&search->kernel->memory,
					       entry + search->map_name.offset, name, sizeof(name));
	if (!err && !strcmp(name, search->name))
		search->map = entry;
	return err;
}

struct error *bpf_array_map_find(struct kernel *kernel, const char *name, uint64_t *values_ret,
				 uint32_t *element_size_ret, uint32_t *count_ret)
{
	struct search search = { .kernel = kernel, .name = name };
	struct member head, elem_size, max_entries, value;
	const struct member_wanted wanted[] = {
		{ "idr", "idr_rt.xa_head", &head },
		{ "xa_node", "shift", &search.shift },
		{ "xa_node", "slots", &search.slots },
		{ "bpf_map", "name", &search.map_name },
		{ "bpf_array", "elem_size", &elem_size },
		{ "bpf_array", "map.max_entries", &max_entries },
		/* An array without a length: its place is what counts. */
		{ "bpf_array", "value", &value },
	};
	uint64_t idr, entry, size, count;

	struct error *err =
		types_resolve(kernel->symbols.types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err)
		err = symbols_address(&kernel->symbols, KSYM_map_idr, &idr);
	if (!err)
		err = member_read(&kernel->memory, idr, &head, &entry);
	if (!err)
		err = visit(&search, entry, XA_MAX_SHIFT);
	if (!err && !search.map)
		err = error_create(ERROR_NOT_FOUND, "no BPF map %s in the dump", name);
	if (!err)
		err = member_read(&kernel->memory, search.map, &elem_size, &size);
	if (!err)
		err = member_read(&kernel->memory, search.map, &max_entries, &count);
	if (err)
		return error_prefix(err, "BPF maps");
	*values_ret = search.map + value.offset;
	*element_size_ret = size;
	*count_ret = count;
	return NULL;
}
