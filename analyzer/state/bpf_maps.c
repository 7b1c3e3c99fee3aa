// SPDX-License-Identifier: GPL-2.0-only
/*
 * All BPF maps are in map_idr by their id: kernel/bpf/syscall.c. An idr is an
 * xarray: the head is an entry itself, or a pointer to a node with bit 1 set;
 * a node has 64 slots and a shift, 0 in the lowest level: include/linux/xarray.h.
 */
#include "state/bpf_maps.h"

#include <string.h>

#include "base/cleanup.h"

#define XA_SLOTS      64
#define XA_MAX_SHIFT  60
#define MAX_MAP_NAME  16 /* BPF_OBJ_NAME_LEN */
#define MAX_MAGIC     16
#define MAX_NODES     (1u << 16)
#define IS_NODE(e)    (((e)&3) == 2 && (e) > 4096) /* xa_is_node() */
#define IS_POINTER(e) (!((e)&3) && (e))

struct search {
	struct kernel *kernel;
	const char *name, *magic;
	struct member shift, slots, map_name, value;
	uint32_t visits;
	uint64_t map; /* 0: not found */
	struct error *error; /* the first thing that could not be read */
};

static void visit(struct search *search, uint64_t entry, int64_t most_shift);

/* What cannot be read may not be what is looked for: the search goes on. */
static void note_error(struct search *search, struct error *err)
{
	if (search->error)
		error_destroy(err);
	else
		search->error = err;
}

static void visit_node(struct search *search, uint64_t node, int64_t most_shift)
{
	struct memory *memory = &search->kernel->memory;
	uint64_t slots[XA_SLOTS], shift;

	if (search->visits >= MAX_NODES)
		return;
	struct error *err = member_read(memory, node, &search->shift, &shift);
	if (!err)
		err = memory_read(memory, node + search->slots.offset, slots, sizeof(slots));
	/* Each level has a smaller shift than the one above it, and none is below 0: no circle gets far. */
	if (!err && (int64_t)shift > most_shift)
		err = error_fault(ERROR_CORRUPT, node, "map_idr: a node of shift %llu",
				  (unsigned long long)shift);
	if (!err && ++search->visits == MAX_NODES)
		err = error_fault(ERROR_CORRUPT, node, "map_idr has over %u nodes", MAX_NODES);
	if (err) {
		note_error(search, err);
		return;
	}
	for (size_t i = 0; i < XA_SLOTS; i++)
		visit(search, slots[i], (int64_t)shift - 1);
}

static struct error *check(const struct search *search, uint64_t map, bool *ret)
{
	struct memory *memory = &search->kernel->memory;
	char name[MAX_MAP_NAME + 1], magic[MAX_MAGIC];
	size_t size = strlen(search->magic);

	struct error *err =
		memory_read_string(memory, map + search->map_name.offset, name, sizeof(name));
	*ret = !err && !strcmp(name, search->name);
	if (*ret && size)
		err = memory_read(memory, map + search->value.offset, magic, size);
	*ret = *ret && !err && !memcmp(magic, search->magic, size);
	return err;
}

static void visit(struct search *search, uint64_t entry, int64_t most_shift)
{
	bool is_it;

	if (IS_NODE(entry)) {
		visit_node(search, entry & ~3ull, most_shift);
		return;
	}
	if (!IS_POINTER(entry))
		return;
	struct error *err = check(search, entry, &is_it);
	if (err)
		note_error(search, err);
	else if (is_it)
		search->map = entry;
}

struct error *bpf_array_map_find(struct kernel *kernel, const char *name, const char *magic,
				 uint64_t *values_ret, uint32_t *element_size_ret,
				 uint32_t *count_ret)
{
	struct search search = { .kernel = kernel, .name = name, .magic = magic };
	struct member head, elem_size, max_entries;
	const struct member_wanted wanted[] = {
		{ "idr", "idr_rt.xa_head", &head },
		{ "xa_node", "shift", &search.shift },
		{ "xa_node", "slots", &search.slots },
		{ "bpf_map", "name", &search.map_name },
		{ "bpf_array", "elem_size", &elem_size },
		{ "bpf_array", "map.max_entries", &max_entries },
		/* An array without a length: its place is what counts. */
		{ "bpf_array", "value", &search.value },
	};
	uint64_t idr, entry, size, count;

	struct error *err =
		types_resolve(kernel->symbols.types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err)
		err = symbols_address(&kernel->symbols, KSYM_map_idr, &idr);
	if (!err)
		err = member_read(&kernel->memory, idr, &head, &entry);
	if (!err)
		visit(&search, entry, XA_MAX_SHIFT);
	/* Not found is what a caller asks for: a map that is not loaded, not a kernel that cannot be read. */
	if (err && err->class == ERROR_NOT_FOUND)
		err->class = ERROR_OTHER;
	if (!err && !search.map)
		err = search.error
			      ? steal_ptr(search.error)
			      : error_create(ERROR_NOT_FOUND, "no BPF map %s in the dump", name);
	error_destroy(search.error);
	if (!err)
		err = member_read(&kernel->memory, search.map, &elem_size, &size);
	if (!err)
		err = member_read(&kernel->memory, search.map, &max_entries, &count);
	if (err)
		return error_prefix(err, "BPF maps");
	*values_ret = search.map + search.value.offset;
	*element_size_ret = size;
	*count_ret = count;
	return NULL;
}
