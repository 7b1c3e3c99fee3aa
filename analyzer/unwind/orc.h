/* SPDX-License-Identifier: GPL-2.0-only */
/* ORC: for each place in the code, where the caller's frame is. Out of the dump, core and modules. */
#ifndef LOCKDUMP_ORC_H
#define LOCKDUMP_ORC_H

#include "symbols/symbols.h"

/* Where a register of the caller is found, in the numbers of arch/x86/include/asm/orc_types.h up to 7.0. */
enum orc_reg {
	ORC_REG_UNDEFINED,
	ORC_REG_PREV_SP,
	ORC_REG_DX,
	ORC_REG_DI,
	ORC_REG_BP,
	ORC_REG_SP,
	ORC_REG_R10,
	ORC_REG_R13,
	ORC_REG_BP_INDIRECT,
	ORC_REG_SP_INDIRECT,
	ORC_REG_AX,
	ORC_REG_INVALID,
};

/* What the stack holds at that place, in our own numbers: the kernel's have changed. */
enum orc_type {
	ORC_TYPE_UNDEFINED, /* the compiler's and objtool's knowledge ends here */
	ORC_TYPE_END_OF_STACK,
	ORC_TYPE_CALL, /* a return address */
	ORC_TYPE_REGS, /* a whole struct pt_regs */
	ORC_TYPE_REGS_PARTIAL, /* its last five words, which the CPU pushed */
};

struct orc_entry {
	int16_t sp_offset;
	int16_t bp_offset;
	uint8_t sp_reg; /* enum orc_reg */
	uint8_t bp_reg;
	uint8_t type; /* enum orc_type */
	bool signal; /* the caller was interrupted: its pc is no return address */
};

#define ORC_CACHE_SIZE 2048

struct orc {
	struct symbols *symbols;
	uint64_t ip, entries, count; /* of the core kernel's tables */
	void (*decode)(const uint8_t raw[6], struct orc_entry *ret);
	struct {
		uint64_t pc; /* plus one: 0 is a free place */
		struct orc_entry entry;
	} cache[ORC_CACHE_SIZE]; /* the same return addresses are in every stack */
};

/* Finds the tables and tells their format. ERROR_NOT_FOUND if the kernel was built without ORC. */
struct error *orc_init(struct orc *orc, struct symbols *symbols);

/* The entry that covers @pc. ERROR_NOT_FOUND if no table does: generated code, or none at all. */
struct error *orc_find(struct orc *orc, uint64_t pc, struct orc_entry *ret);

#endif
