/* SPDX-License-Identifier: GPL-2.0-only */
/* The core kernel's symbol table, out of the dump: kernel/kallsyms.c and scripts/kallsyms.c. */
#ifndef LOCKDUMP_KALLSYMS_H
#define LOCKDUMP_KALLSYMS_H

#include "dump/memory.h"

#define KSYM_NAME_SIZE	     512 /* KSYM_NAME_LEN since 6.1 (b8a94bfb3395); 128 before */
#define KALLSYMS_MAX_SYMBOLS (2u << 20) /* kernels have some 200,000 */
#define MARKER_SPACING	     256 /* names from one marker to the next: scripts/kallsyms.c */

/* Where the kernel has the tables; 0: it has no such. */
struct kallsyms_tables {
	uint64_t num_syms, names, token_table, token_index;
	uint64_t addresses; /* or offsets, and a base until 6.19 */
	uint64_t offsets, relative_base;
	bool certain; /* no guess: if what would prove them is lost, they are right nevertheless */
};

enum kallsyms_encoding {
	KALLSYMS_ABSOLUTE,
	KALLSYMS_ABSOLUTE_PERCPU,
	KALLSYMS_BASE_RELATIVE,
	KALLSYMS_PLACE_RELATIVE,
};

/* Symbols [start, end), of which something is not in the dump. */
struct kallsyms_range {
	uint32_t start, end;
};

struct kallsyms_lost {
	VECTOR(struct kallsyms_range) list; /* in order */
};

struct kallsyms {
	uint32_t count;
	uint8_t *names;
	size_t names_size;
	uint32_t *markers; /* where every MARKER_SPACING-th name begins */
	enum kallsyms_encoding encoding;
	uint64_t *addresses; /* KALLSYMS_ABSOLUTE; the others have offsets */
	int32_t *offsets;
	uint64_t base; /* that they count from */
	bool base_lost; /* _stext has to tell it */
	char *tokens;
	size_t tokens_size;
	uint16_t token_index[256];
	uint16_t token_length[256];
	struct kallsyms_lost lost_names, lost_addresses;
	struct error *error; /* why some are lost, or NULL */
};

/* A name whose address is wanted. */
struct kallsyms_wanted {
	const char *name;
	uint64_t address; /* 0 if there is no such symbol */
};

/* Finds the tables through the vmcoreinfo, or by what they look like where it does not tell. */
struct error *kallsyms_init(struct kallsyms *kallsyms, struct memory *memory,
			    const struct vmcoreinfo *info);
void kallsyms_deinit(struct kallsyms *kallsyms);

/* Looks up all of @wanted in one pass over the table; of equal names the first counts. */
void kallsyms_find(const struct kallsyms *kallsyms, struct kallsyms_wanted *wanted, size_t count);

/*
 * The symbol that covers @address: its index, its address, and the bytes to
 * the next one (0 behind the last). Of several at one address the first, as
 * the kernel's get_symbol_pos() has it. False if there is none.
 */
bool kallsyms_lookup(const struct kallsyms *kallsyms, uint64_t address, uint32_t *index_ret,
		     uint64_t *start_ret, uint64_t *size_ret);

/* The name of symbol @index, without its type letter; "" if it is lost. */
void kallsyms_name(const struct kallsyms *kallsyms, uint32_t index, char ret[KSYM_NAME_SIZE]);

uint64_t kallsyms_address(const struct kallsyms *kallsyms, uint32_t index);

#endif
