/* SPDX-License-Identifier: GPL-2.0-only */
/* Where code stands in the source: its file and line, and the functions that were inlined there. */
#ifndef LOCKDUMP_DWARF_H
#define LOCKDUMP_DWARF_H

#include "symbols/debug_file.h"

struct source_place {
	const char *function; /* as the source calls it; NULL: unknown */
	const char *file; /* NULL: unknown, like line 0 */
	uint32_t line;
	bool inlined; /* into the place that follows */
	Dwarf_Die scope; /* the function's, or that of its inlined copy; .addr NULL: none */
};

/* From the innermost function out; the last one is not inlined. They live as long as the file is open. */
struct source_places {
	struct source_places *next; /* in its bucket */
	uint64_t address; /* the file's */
	size_t count; /* 0: nothing is known there */
	struct source_place list[];
};

/* Those of @address of the dump. NULL if there is no memory. */
const struct source_places *dwarf_places(struct debug_file *file, uint64_t address);

#endif
