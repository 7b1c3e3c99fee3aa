/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded modules: where each lies, its symbols, its unwind tables. */
#ifndef LOCKDUMP_MODULES_H
#define LOCKDUMP_MODULES_H

#include "base/arena.h"
#include "base/vector.h"
#include "dump/memory.h"
#include "symbols/types.h"

#define MODULE_MAX_REGIONS 10

struct module_region {
	uint64_t start;
	uint64_t size;
};

struct module_symbol {
	uint64_t address;
	uint32_t name; /* where in the module's strings */
	uint32_t place; /* in its symbol table */
};

struct module {
	const char *name;
	uint64_t object; /* address of its struct module */
	struct module_region regions[MODULE_MAX_REGIONS]; /* the first holds the code */
	unsigned int nr_regions;
	uint64_t size; /* of all of them, as lsmod has it */
	uint64_t taints; /* bits of TAINT_... */
	uint64_t orc_ip, orc, nr_orc; /* its ORC tables, and how many entries they have */

	/* Its symbols by address, read when first asked for. */
	uint64_t kallsyms;
	bool symbols_read;
	struct module_symbol *symbols;
	size_t nr_symbols;
	char *strings;
	uint64_t strings_size;
};

/* A part of a module's memory, to be searched by address. */
struct module_place {
	struct module_region region;
	uint32_t module; /* in the list */
};

struct modules {
	VECTOR(struct module) list; /* by address of the code */
	VECTOR(struct module_place) places; /* by address */
	const char *last_unloaded; /* the name of that module, or NULL */
	struct memory *memory;
	struct member kallsyms_symtab, kallsyms_num_symtab, kallsyms_strtab;
	uint64_t symbols_size; /* bytes that all their symbols have taken so far */
};

/*
 * Walks the list @head (the symbol "modules"). A list that breaks off in the middle ends the walk: what was
 * found is there, and the error says why no more.
 */
struct error *modules_init(struct modules *modules, struct memory *memory,
			   const struct types *types, uint64_t head, struct arena *arena);
void modules_deinit(struct modules *modules);

/* Reads the variable last_unloaded_module at @address. */
struct error *modules_read_unloaded(struct modules *modules, uint64_t address, struct arena *arena);

/* The module in whose memory @address is, or NULL. */
struct module *modules_find(const struct modules *modules, uint64_t address);

/* The symbol of @module that covers @address; @name_ret lives as long as the modules. */
bool module_lookup(struct modules *modules, struct module *module, uint64_t address,
		   const char **name_ret, uint64_t *start_ret, uint64_t *size_ret);

#endif
