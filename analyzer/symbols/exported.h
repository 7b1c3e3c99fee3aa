/* SPDX-License-Identifier: GPL-2.0-only */
/* The symbols that the kernel exports to modules: __ksymtab. */
#ifndef LOCKDUMP_EXPORTED_H
#define LOCKDUMP_EXPORTED_H

#include "dump/memory.h"

/* A table of them, or a part of it, sorted by name. */
struct exported_table {
	uint64_t start, end;
};

/* The address of the symbol @name; 0 if it is not there. */
uint64_t exported_find(struct memory *memory, const struct exported_table *table, const char *name);

/*
 * The next table, or part between pages that are not there, in [@from, @end), by what it looks like. False if there
 * is none, or nothing left of @budget, from which each entry is taken that was looked at.
 */
bool exported_scan(struct memory *memory, uint64_t from, uint64_t end, uint64_t *budget,
		   struct exported_table *ret);

#endif
