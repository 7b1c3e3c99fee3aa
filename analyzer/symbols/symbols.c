// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/symbols.h"

#include <string.h>

#include "symbols/symbol_file.h"

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

/* One error of two: what failed, and what else was tried or can be. */
static struct error *also(struct error *first, struct error *then)
{
	struct error *ret =
		error_fault(first->class, first->address, "%s; %s", first->message, then->message);

	error_destroy(first);
	error_destroy(then);
	return ret;
}

/* The dump's own symbols, those kept of this boot, those of a vmlinux: the first that can be had. */
static struct error *read_symbols(struct symbols *symbols, const struct vmcoreinfo *info,
				  const struct symbol_files *files)
{
	struct kallsyms *kallsyms = &symbols->kallsyms;
	const char *const others[] = { files->kept, files->vmlinux };

	if (files->symbols)
		return symbol_file_load(files->symbols, info, kallsyms);
	struct error *err = kallsyms_init(kallsyms, symbols->memory, info);
	for (size_t i = 0; err && i < sizeof(others) / sizeof(others[0]); i++) {
		if (!others[i])
			continue;
		struct error *why = symbol_file_load(others[i], info, kallsyms);
		if (!why) {
			error_destroy(err);
			return NULL;
		}
		err = also(err, why);
	}
	if (err)
		err = also(err,
			   error_create(ERROR_NOT_FOUND,
					"give its symbols by --symbols FILE: the /proc/kallsyms of "
					"that boot, a System.map or a vmlinux"));
	return err;
}

static struct error *read_btf(const struct symbols *symbols, const struct vmcoreinfo *info,
			      const struct symbol_files *files, void **ret, size_t *size_ret)
{
	uint64_t start = symbols->at[KSYM___start_BTF], stop = symbols->at[KSYM___stop_BTF];
	struct error *err;

	if (start && stop > start) {
		*size_ret = stop - start;
		err = memory_read_alloc(symbols->memory, start, *size_ret, MAX_BTF_SIZE, ret);
	} else {
		err = error_create(
			ERROR_NOT_FOUND,
			"this kernel has no BTF: without types its memory cannot be read; "
			"build it with CONFIG_DEBUG_INFO_BTF=y");
	}
	if (err && files->vmlinux) {
		struct error *why = symbol_file_btf(files->vmlinux, info, ret, size_ret);
		if (why)
			return also(err, why);
		error_destroy(err);
		err = NULL;
	}
	return error_prefix(err, "BTF");
}

struct error *symbols_init(struct symbols *symbols, struct memory *memory,
			   const struct vmcoreinfo *info, const struct symbol_files *files)
{
	void *btf = NULL;
	size_t size = 0;

	memset(symbols, 0, sizeof(*symbols));
	symbols->memory = memory;
	struct error *err = read_symbols(symbols, info, files);
	if (err)
		return err;
	find_variables(symbols);
	find_direct_base(symbols);
	err = read_btf(symbols, info, files, &btf, &size);
	if (!err)
		err = types_parse(btf, size, &symbols->types);
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
