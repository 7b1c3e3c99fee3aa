/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of modules: split BTF, which the kernel keeps for each that has it (since 5.11: 36e68442d1af). */
#ifndef LOCKDUMP_MODULE_TYPES_H
#define LOCKDUMP_MODULE_TYPES_H

#include "base/vector.h"
#include "symbols/modules.h"
#include "symbols/types.h"

struct module_btf {
	uint64_t module; /* address of the struct module */
	uint64_t data; /* address of the BTF */
	uint64_t size;
	bool parsed;
	struct types *types; /* NULL: not asked for yet, or it cannot be read */
};

struct module_types {
	VECTOR(struct module_btf) list;
	uint64_t size; /* bytes that all that were parsed have taken */
};

/* Walks the list @head (the symbol "btf_modules"). What was found before an error is there. */
struct error *module_types_init(struct module_types *all, struct memory *memory,
				const struct types *types, uint64_t head);
void module_types_deinit(struct module_types *all);

/* The types of @module, which are the kernel's (@types) and its own. Without any, *@ret is the kernel's alone. */
struct error *module_types_get(struct module_types *all, struct memory *memory,
			       const struct types *types, const struct module *module,
			       const struct types **ret);

#endif
