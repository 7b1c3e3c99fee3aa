/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded modules: where each lies, its symbols, its unwind tables. */
#ifndef LOCKDUMP_MODULES_H
#define LOCKDUMP_MODULES_H

#include <elf.h>

#include "base/arena.h"
#include "base/vector.h"
#include "dump/memory.h"
#include "symbols/types.h"

#define MODULE_MAX_REGIONS 8

struct module {
	const char *name;
	uint64_t object; /* address of its struct module */
	struct {
		uint64_t start;
		uint64_t size;
	} regions[MODULE_MAX_REGIONS]; /* the first holds the code */
	unsigned int nr_regions;
	uint64_t taints; /* bits of TAINT_... */
	uint64_t orc_ip, orc,
		nr_orc; /* addresses of its ORC tables, and how many entries they have */

	/* Its symbol table, read when first asked for. */
	uint64_t kallsyms;
	bool symbols_read;
	Elf64_Sym *symbols;
	uint64_t nr_symbols;
	char *strings;
	uint64_t strings_size;
};

struct modules {
	VECTOR(struct module) list; /* by address of the code */
	struct memory *memory;
	struct member kallsyms_symtab, kallsyms_num_symtab, kallsyms_strtab;
};

/*
 * Walks the list @head (the symbol "modules"). A list that breaks off in the middle ends the walk: what was
 * found is there, and the error says why no more.
 */
struct error *modules_init(struct modules *modules, struct memory *memory,
			   const struct types *types, uint64_t head, struct arena *arena);
void modules_deinit(struct modules *modules);

/* The module in whose memory @address is, or NULL. */
struct module *modules_find(const struct modules *modules, uint64_t address);

/* The symbol of @module that covers @address; @name_ret lives as long as the modules. */
bool module_lookup(struct modules *modules, struct module *module, uint64_t address,
		   const char **name_ret, uint64_t *start_ret, uint64_t *size_ret);

#endif
