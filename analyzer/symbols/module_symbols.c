// SPDX-License-Identifier: GPL-2.0-only
/* A module's symbols: those of its ELF file that the kernel kept, in a struct mod_kallsyms. */
#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/search.h"
#include "symbols/modules.h"

/* The largest modules have some 60,000; bytes of all modules, of which a machine has some 10 MB. */
#define MAX_SYMBOLS	(1u << 19)
#define MAX_STRINGS	(32u << 20)
#define MAX_ALL_SYMBOLS (64u << 20)

static int compare(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* As is_mapping_symbol() of the kernel has it: what a compiler or an assembler made for itself. */
static bool is_mapping(const char *name)
{
	return (name[0] == '.' && name[1] == 'L') || (name[0] == 'L' && name[1] == '0') ||
	       name[0] == '$';
}

/* The string table's size is written nowhere: it is as far as the last name that a symbol points to. */
static struct error *read_strings(struct memory *memory, uint64_t strtab, const Elf64_Sym *symbols,
				  uint64_t count, struct module *module)
{
	uint64_t last = 0;
	char name[256];

	for (uint64_t i = 0; i < count; i++)
		if (symbols[i].st_name > last)
			last = symbols[i].st_name;
	struct error *err = memory_read_string(memory, strtab + last, name, sizeof(name));
	if (err)
		return err;
	module->strings_size = last + strlen(name) + 1;
	err = memory_read_alloc(memory, strtab, module->strings_size, MAX_STRINGS,
				&module->strings);
	if (!err)
		module->strings[module->strings_size - 1] = '\0';
	return err;
}

/* Sorts those that name something; the others do not count, as in find_kallsyms_symbol(). */
static struct error *sort_symbols(const Elf64_Sym *symbols, uint64_t count, struct module *module)
{
	module->symbols = calloc(count ? count : 1, sizeof(*module->symbols));
	if (!module->symbols)
		return &error_no_memory;
	for (uint64_t i = 1; i < count; i++) {
		const char *name = module->strings + symbols[i].st_name;
		if (symbols[i].st_shndx != SHN_UNDEF && *name && !is_mapping(name))
			module->symbols[module->nr_symbols++] = (struct module_symbol){
				.address = symbols[i].st_value,
				.name = symbols[i].st_name,
				.place = i,
			};
	}
	qsort(module->symbols, module->nr_symbols, sizeof(*module->symbols), compare);
	return NULL;
}

static struct error *read_symbols(struct modules *modules, struct module *module)
{
	struct memory *memory = modules->memory;
	_cleanup_free_ Elf64_Sym *symbols = NULL;
	uint64_t symtab, strtab, count = 0;

	struct error *err =
		member_read(memory, module->kallsyms, &modules->kallsyms_symtab, &symtab);
	if (!err)
		err = member_read(memory, module->kallsyms, &modules->kallsyms_strtab, &strtab);
	if (!err)
		err = member_read(memory, module->kallsyms, &modules->kallsyms_num_symtab, &count);
	if (!err && (count > MAX_SYMBOLS || modules->symbols_size > MAX_ALL_SYMBOLS))
		err = error_fault(ERROR_CORRUPT, module->kallsyms, "%llu symbols",
				  (unsigned long long)count);
	/* What cannot be read takes time too. */
	if (!err)
		modules->symbols_size += count * sizeof(*module->symbols);
	if (!err)
		err = memory_read_alloc(memory, symtab, count * sizeof(*symbols),
					MAX_SYMBOLS * sizeof(*symbols), &symbols);
	if (!err)
		err = read_strings(memory, strtab, symbols, count, module);
	if (!err)
		err = sort_symbols(symbols, count, module);
	modules->symbols_size += module->strings_size;
	return err;
}

/* The part of @module's memory that @address is in. */
static const struct module_region *region_of(const struct module *module, uint64_t address)
{
	for (unsigned int r = 0; r < module->nr_regions; r++)
		if (address - module->regions[r].start < module->regions[r].size)
			return &module->regions[r];
	return NULL;
}

bool module_lookup(struct modules *modules, struct module *module, uint64_t address,
		   const char **name_ret, uint64_t *start_ret, uint64_t *size_ret)
{
	const struct module_region *region = region_of(module, address);

	if (!module->symbols_read) {
		module->symbols_read = true;
		/* Without them its functions have no names, but the module has: not worth an error. */
		error_destroy(read_symbols(modules, module));
	}
	const struct module_symbol *symbols = module->symbols;
	size_t next = search_upto(symbols, module->nr_symbols, address, address);
	if (!next || !region || symbols[next - 1].address < region->start)
		return false;
	uint64_t start = symbols[next - 1].address, end = region->start + region->size;
	if (next < module->nr_symbols && symbols[next].address < end)
		end = symbols[next].address;
	/* Of several at one address the first of its table. */
	size_t first = start ? search_upto(symbols, next, address, start - 1) : 0;
	*name_ret = module->strings + symbols[first].name;
	*start_ret = start;
	*size_ret = end - start;
	return true;
}
