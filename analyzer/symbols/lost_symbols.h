/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables whose names or addresses kallsyms has lost, from wherever else the kernel says where they are. */
#ifndef LOCKDUMP_LOST_SYMBOLS_H
#define LOCKDUMP_LOST_SYMBOLS_H

#include "symbols/symbols.h"

/* From the vmcoreinfo, the exported symbols, and pointers to them: sets what it finds of symbols->at. */
void lost_symbols_find(struct symbols *symbols, const char *const names[NR_KSYM],
		       const struct vmcoreinfo *info);

/* The same for what only the types tell. */
void lost_symbols_find_by_types(struct symbols *symbols, const char *const names[NR_KSYM]);

/* Where the BTF is whose symbols are lost, by what its header looks like. False if it is nowhere. */
bool lost_symbols_find_btf(const struct symbols *symbols, const struct vmcoreinfo *info,
			   uint64_t *start_ret, uint64_t *stop_ret);

#endif
