/* SPDX-License-Identifier: GPL-2.0-only */
/* The core kernel's symbol table, out of the dump: kernel/kallsyms.c and scripts/kallsyms.c. */
#ifndef LOCKDUMP_KALLSYMS_H
#define LOCKDUMP_KALLSYMS_H

#include "dump/memory.h"

#define KSYM_NAME_SIZE 512 /* KSYM_NAME_LEN since 6.1 (b8a94bfb3395); 128 before */

struct kallsyms {
	uint32_t count;
	uint8_t *names;
	size_t names_size;
	uint32_t *markers; /* where every 256th name begins */
	int32_t *offsets;
	uint64_t relative_base;
	bool absolute_percpu;
	char *tokens;
	size_t tokens_size;
	uint16_t token_index[256];
	uint16_t token_length[256];
};

/* A name whose address is wanted. */
struct kallsyms_wanted {
	const char *name;
	uint64_t address; /* 0 if there is no such symbol */
};

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

/* The name of symbol @index, without its type letter. */
void kallsyms_name(const struct kallsyms *kallsyms, uint32_t index, char ret[KSYM_NAME_SIZE]);

#endif
