// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules: struct module on the list "modules". Where its memory is stands in
 * core_layout and init_layout up to 6.3, in the array mem[] since 6.4
 * (ac3b43283923). Its symbols are ELF's, kept in struct mod_kallsyms.
 */
#include "symbols/modules.h"

#include <string.h>

#include "base/cleanup.h"
#include "dump/list.h"

#define MAX_MODULE_NAME 64
#define MAX_SYMBOLS	(1u << 20)
#define MAX_STRINGS	(64u << 20)
#define MODULE_UNFORMED 3 /* enum module_state */

struct layout {
	struct member list, name, state, taints, kallsyms;
	struct member core_base, core_size, init_base, init_size; /* up to 6.3 */
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

static struct error *add_region(struct modules *modules, struct module *module, uint64_t object,
				const struct member *base, const struct member *size)
{
	uint64_t start, bytes;
	struct error *err = member_read(modules->memory, object, base, &start);

	if (!err)
		err = member_read(modules->memory, object, size, &bytes);
	if (err || !start || !bytes || module->nr_regions == MODULE_MAX_REGIONS)
		return err;
	module->regions[module->nr_regions].start = start;
	module->regions[module->nr_regions++].size = bytes;
	return NULL;
}

static struct error *read_regions(struct modules *modules, const struct layout *l, uint64_t object,
				  struct module *module)
{
	if (!l->mem.size) {
		struct error *err =
			add_region(modules, module, object, &l->core_base, &l->core_size);
		return err ? err
			   : add_region(modules, module, object, &l->init_base, &l->init_size);
	}
	for (uint32_t i = 0; i < l->mem.count && i < MODULE_MAX_REGIONS; i++) {
		struct error *err =
			add_region(modules, module, object + l->mem.offset + i * l->mem_stride,
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
	if (modules->list.count)
		qsort(modules->list.data, modules->list.count, sizeof(*modules->list.data),
		      compare_modules);
	return error_prefix(err, "module list");
}

void modules_deinit(struct modules *modules)
{
	for (size_t i = 0; i < modules->list.count; i++) {
		free(modules->list.data[i].symbols);
		free(modules->list.data[i].strings);
	}
	vector_deinit(&modules->list);
}

struct module *modules_find(const struct modules *modules, uint64_t address)
{
	for (size_t i = 0; i < modules->list.count; i++) {
		struct module *module = &modules->list.data[i];
		for (unsigned int r = 0; r < module->nr_regions; r++)
			if (address - module->regions[r].start < module->regions[r].size)
				return module;
	}
	return NULL;
}

/*
 * The string table's size is written nowhere: it is as far as the last name
 * that a symbol points to.
 */
static struct error *read_symbols(struct modules *modules, struct module *module)
{
	struct memory *memory = modules->memory;
	uint64_t symtab, strtab, count = 0, last = 0;

	struct error *err =
		member_read(memory, module->kallsyms, &modules->kallsyms_symtab, &symtab);
	if (!err)
		err = member_read(memory, module->kallsyms, &modules->kallsyms_strtab, &strtab);
	if (!err)
		err = member_read(memory, module->kallsyms, &modules->kallsyms_num_symtab, &count);
	if (!err && count > MAX_SYMBOLS)
		err = error_fault(ERROR_CORRUPT, module->kallsyms, "%llu symbols",
				  (unsigned long long)count);
	if (!err)
		err = memory_read_alloc(memory, symtab, count * sizeof(Elf64_Sym),
					MAX_SYMBOLS * sizeof(Elf64_Sym), &module->symbols);
	if (err)
		return err;
	for (uint64_t i = 0; i < count; i++)
		if (module->symbols[i].st_name > last)
			last = module->symbols[i].st_name;
	char name[256];
	err = memory_read_string(memory, strtab + last, name, sizeof(name));
	if (!err)
		err = memory_read_alloc(memory, strtab, last + strlen(name) + 1, MAX_STRINGS,
					&module->strings);
	if (err)
		return err;
	module->strings_size = last + strlen(name) + 1;
	module->strings[module->strings_size - 1] = '\0';
	module->nr_symbols = count;
	return NULL;
}

/* Where the part of @module's memory ends that @address is in. */
static uint64_t region_end(const struct module *module, uint64_t address)
{
	for (unsigned int r = 0; r < module->nr_regions; r++)
		if (address - module->regions[r].start < module->regions[r].size)
			return module->regions[r].start + module->regions[r].size;
	return address;
}

/* As the kernel's find_kallsyms_symbol(): undefined and nameless symbols do not count. */
bool module_lookup(struct modules *modules, struct module *module, uint64_t address,
		   const char **name_ret, uint64_t *start_ret, uint64_t *size_ret)
{
	const Elf64_Sym *best = NULL;
	uint64_t next = region_end(module, address);

	if (!module->symbols_read) {
		module->symbols_read = true;
		/* Without them its functions have no names, but the module has: not worth an error. */
		error_destroy(read_symbols(modules, module));
	}
	for (uint64_t i = 1; i < module->nr_symbols; i++) {
		const Elf64_Sym *symbol = &module->symbols[i];
		if (symbol->st_shndx == SHN_UNDEF || !module->strings[symbol->st_name])
			continue;
		if (symbol->st_value <= address && (!best || symbol->st_value > best->st_value))
			best = symbol;
		if (symbol->st_value > address && symbol->st_value < next)
			next = symbol->st_value;
	}
	if (!best || modules_find(modules, best->st_value) != module)
		return false;
	*name_ret = module->strings + best->st_name;
	*start_ret = best->st_value;
	*size_ret = next - best->st_value;
	return true;
}
