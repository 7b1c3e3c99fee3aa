// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules: struct module on the list "modules". Where its memory is stands in
 * core_layout and init_layout up to 6.3, in the array mem[] since 6.4
 * (ac3b43283923).
 */
#include "symbols/modules.h"

#include <string.h>

#include "base/search.h"
#include "dump/list.h"

#define MAX_MODULE_NAME 64
#define MAX_MODULES	65536
#define MODULE_UNFORMED 3 /* enum module_state */

struct layout {
	struct member list, name, state, taints, kallsyms;
	struct member core_base, core_size, core_text, init_base, init_size; /* up to 6.3 */
	struct member mem, mem_base, mem_size; /* since 6.4 */
	uint32_t mem_stride;
	struct member orc_ip, orc, nr_orc;
};

static struct error *resolve(const struct types *types, struct layout *l, struct modules *modules)
{
	const struct member_wanted wanted[] = {
		{ "module", "list", &l->list },
		{ "module", "name", &l->name },
		{ "module", "state", &l->state },
		{ "module", "taints", &l->taints },
		{ "module", "kallsyms", &l->kallsyms },
		{ "module", "core_layout.base", &l->core_base, true },
		{ "module", "core_layout.size", &l->core_size, true },
		{ "module", "core_layout.text_size", &l->core_text, true },
		{ "module", "init_layout.base", &l->init_base, true },
		{ "module", "init_layout.size", &l->init_size, true },
		{ "module", "mem", &l->mem, true },
		{ "module_memory", "base", &l->mem_base, true },
		{ "module_memory", "size", &l->mem_size, true },
		{ "module", "arch.orc_unwind_ip", &l->orc_ip, true },
		{ "module", "arch.orc_unwind", &l->orc, true },
		{ "module", "arch.num_orcs", &l->nr_orc, true },
		{ "mod_kallsyms", "symtab", &modules->kallsyms_symtab },
		{ "mod_kallsyms", "num_symtab", &modules->kallsyms_num_symtab },
		{ "mod_kallsyms", "strtab", &modules->kallsyms_strtab },
	};
	l->mem_stride = types_sizeof(types, "module_memory");
	return types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void add_region(struct module *module, uint64_t start, uint64_t size)
{
	if (!start || !size || module->nr_regions == MODULE_MAX_REGIONS)
		return;
	module->regions[module->nr_regions++] = (struct module_region){ start, size };
	module->size += size;
}

static struct error *read_region(struct modules *modules, struct module *module, uint64_t object,
				 const struct member *base, const struct member *size)
{
	uint64_t start, bytes;
	struct error *err = member_read(modules->memory, object, base, &start);

	if (!err)
		err = member_read(modules->memory, object, size, &bytes);
	if (!err)
		add_region(module, start, bytes);
	return err;
}

/* Code comes first in core_layout, and data is no continuation of its last function. */
static struct error *split_core(struct modules *modules, const struct layout *l, uint64_t object,
				struct module *module)
{
	uint64_t text;

	if (!l->core_text.size || !module->nr_regions)
		return NULL;
	struct error *err = member_read(modules->memory, object, &l->core_text, &text);
	struct module_region *core = &module->regions[0];
	if (err || !text || text >= core->size)
		return err;
	module->regions[module->nr_regions++] =
		(struct module_region){ core->start + text, core->size - text };
	core->size = text;
	return NULL;
}

static struct error *read_regions(struct modules *modules, const struct layout *l, uint64_t object,
				  struct module *module)
{
	struct error *err = NULL;

	if (!l->mem.size) {
		err = read_region(modules, module, object, &l->core_base, &l->core_size);
		if (!err)
			err = split_core(modules, l, object, module);
		return err ? err
			   : read_region(modules, module, object, &l->init_base, &l->init_size);
	}
	for (uint32_t i = 0; i < l->mem.count && i < MODULE_MAX_REGIONS; i++) {
		err = read_region(modules, module, object + l->mem.offset + i * l->mem_stride,
				  &l->mem_base, &l->mem_size);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_module(struct modules *modules, const struct layout *l, uint64_t object,
				 struct arena *arena)
{
	struct memory *memory = modules->memory;
	struct module module = { .object = object };
	char name[MAX_MODULE_NAME];
	uint64_t state;

	struct error *err = member_read(memory, object, &l->state, &state);
	if (err || state == MODULE_UNFORMED)
		return err;
	err = memory_read_string(memory, object + l->name.offset, name, sizeof(name));
	if (!err)
		err = member_read(memory, object, &l->taints, &module.taints);
	if (!err)
		err = member_read(memory, object, &l->kallsyms, &module.kallsyms);
	if (!err)
		err = read_regions(modules, l, object, &module);
	if (!err && l->orc.size) {
		err = member_read(memory, object, &l->orc_ip, &module.orc_ip);
		if (!err)
			err = member_read(memory, object, &l->orc, &module.orc);
		if (!err)
			err = member_read(memory, object, &l->nr_orc, &module.nr_orc);
	}
	if (err || !module.nr_regions)
		return err;
	if (modules->list.count == MAX_MODULES)
		return error_create(ERROR_CORRUPT, "more than %u of them", MAX_MODULES);
	module.name = arena_strndup(arena, name, sizeof(name));
	struct module *place = module.name ? vector_push(&modules->list) : NULL;
	if (!place)
		return &error_no_memory;
	*place = module;
	return NULL;
}

static int compare_modules(const void *a, const void *b)
{
	const struct module *x = a, *y = b;
	return x->regions[0].start < y->regions[0].start
		       ? -1
		       : x->regions[0].start > y->regions[0].start;
}

static int compare_places(const void *a, const void *b)
{
	const struct module_place *x = a, *y = b;
	return x->region.start < y->region.start ? -1 : x->region.start > y->region.start;
}

/* Sorts what was found, and all parts of it. */
static struct error *sort(struct modules *modules)
{
	if (!modules->list.count)
		return NULL;
	qsort(modules->list.data, modules->list.count, sizeof(*modules->list.data),
	      compare_modules);
	for (uint32_t i = 0; i < modules->list.count; i++) {
		const struct module *module = &modules->list.data[i];
		for (unsigned int r = 0; r < module->nr_regions; r++) {
			struct module_place *place = vector_push(&modules->places);
			if (!place)
				return &error_no_memory;
			*place = (struct module_place){ module->regions[r], i };
		}
	}
	qsort(modules->places.data, modules->places.count, sizeof(*modules->places.data),
	      compare_places);
	return NULL;
}

struct error *modules_init(struct modules *modules, struct memory *memory,
			   const struct types *types, uint64_t head, struct arena *arena)
{
	struct layout layout;
	struct list_walk walk;

	memset(modules, 0, sizeof(*modules));
	modules->memory = memory;
	struct error *err = resolve(types, &layout, modules);
	if (err)
		return err;
	list_walk_init(&walk, memory, head, layout.list.offset);
	while (!err && list_walk_next(&walk, &err))
		err = read_module(modules, &layout, walk.object, arena);
	struct error *unsorted = sort(modules);
	if (err)
		error_destroy(unsorted);
	return error_prefix(err ? err : unsorted, "module list");
}

/* An array of characters until 5.18, since then a struct that begins with one (6f1dae1d84b6). */
struct error *modules_read_unloaded(struct modules *modules, uint64_t address, struct arena *arena)
{
	char name[MAX_MODULE_NAME];
	struct error *err = memory_read_string(modules->memory, address, name, sizeof(name));

	if (!err && *name)
		modules->last_unloaded = arena_strndup(arena, name, sizeof(name));
	return error_prefix(err, "last_unloaded_module");
}

void modules_deinit(struct modules *modules)
{
	for (size_t i = 0; i < modules->list.count; i++) {
		free(modules->list.data[i].symbols);
		free(modules->list.data[i].strings);
	}
	vector_deinit(&modules->list);
	vector_deinit(&modules->places);
}

struct module *modules_find(const struct modules *modules, uint64_t address)
{
	size_t i = search_upto(modules->places.data, modules->places.count, region.start, address);

	if (!i)
		return NULL;
	const struct module_place *place = &modules->places.data[i - 1];
	return address - place->region.start < place->region.size
		       ? &modules->list.data[place->module]
		       : NULL;
}
