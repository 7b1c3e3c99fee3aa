// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/symbols.h"

#include <string.h>

#define MAX_BTF_SIZE (256u << 20)

#define KSYM_NAME(name) #name,
static const char *const ksym_names[NR_KSYM] = { KSYM_LIST(KSYM_NAME) };

static void find_variables(struct symbols *symbols)
{
	struct kallsyms_wanted wanted[NR_KSYM];

	for (size_t i = 0; i < NR_KSYM; i++)
		wanted[i].name = ksym_names[i];
	kallsyms_find(&symbols->kallsyms, wanted, NR_KSYM);
	for (size_t i = 0; i < NR_KSYM; i++)
		symbols->at[i] = wanted[i].address;
}

/* Where it is no variable, it is not random either, and page tables must do. */
static void find_direct_base(struct symbols *symbols)
{
	uint64_t address = symbols->at[KSYM_page_offset_base];
	struct error *err =
		address ? memory_read_u64(symbols->memory, address, &symbols->memory->direct_base)
			: NULL;

	if (err)
		symbols->memory->direct_base = 0;
	error_destroy(err);
}

static struct error *read_types(struct symbols *symbols)
{
	uint64_t start = symbols->at[KSYM___start_BTF], stop = symbols->at[KSYM___stop_BTF];
	void *data;

	if (!start || stop <= start)
		return error_create(
			ERROR_NOT_FOUND,
			"this kernel has no BTF: without types its memory cannot be read; "
			"build it with CONFIG_DEBUG_INFO_BTF=y");
	struct error *err =
		memory_read_alloc(symbols->memory, start, stop - start, MAX_BTF_SIZE, &data);
	return err ? error_prefix(err, "BTF") : types_parse(data, stop - start, &symbols->types);
}

struct error *symbols_init(struct symbols *symbols, struct memory *memory,
			   const struct vmcoreinfo *info)
{
	memset(symbols, 0, sizeof(*symbols));
	symbols->memory = memory;
	struct error *err = kallsyms_init(&symbols->kallsyms, memory, info);
	if (err)
		return err;
	find_variables(symbols);
	find_direct_base(symbols);
	err = read_types(symbols);
	if (err)
		return err;
	uint64_t head = symbols->at[KSYM_modules];
	if (head)
		symbols->modules_error = modules_init(&symbols->modules, memory, symbols->types,
						      head, &symbols->names);
	return NULL;
}

void symbols_deinit(struct symbols *symbols)
{
	kallsyms_deinit(&symbols->kallsyms);
	types_destroy(symbols->types);
	modules_deinit(&symbols->modules);
	error_destroy(symbols->modules_error);
	arena_deinit(&symbols->names);
}

static struct symbol lookup(struct symbols *symbols, uint64_t address)
{
	struct symbol ret = {};
	struct module *module = modules_find(&symbols->modules, address);
	char name[KSYM_NAME_SIZE];
	uint32_t index;

	if (module) {
		ret.module = module;
		module_lookup(&symbols->modules, module, address, &ret.name, &ret.start, &ret.size);
		return ret;
	}
	if (!kallsyms_lookup(&symbols->kallsyms, address, &index, &ret.start, &ret.size))
		return ret;
	/* Behind the last symbol, and below the first that is no per-CPU offset, nothing is known. */
	if (address - ret.start >= ret.size || ret.size > UINT32_MAX)
		return (struct symbol){};
	kallsyms_name(&symbols->kallsyms, index, name);
	ret.name = arena_strndup(&symbols->names, name, sizeof(name));
	return ret;
}

struct symbol symbols_lookup(struct symbols *symbols, uint64_t address)
{
	size_t place = (address ^ address >> 10) % SYMBOL_CACHE_SIZE;

	if (symbols->cache[place].address != address + 1) {
		symbols->cache[place].symbol = lookup(symbols, address);
		symbols->cache[place].address = address + 1;
	}
	return symbols->cache[place].symbol;
}

struct error *symbols_address(const struct symbols *symbols, enum ksym_id ksym, uint64_t *ret)
{
	*ret = symbols->at[ksym];
	if (!*ret)
		return error_create(ERROR_NOT_FOUND, "kallsyms: no symbol %s", ksym_names[ksym]);
	return NULL;
}
