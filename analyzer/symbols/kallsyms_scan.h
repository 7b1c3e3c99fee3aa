/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the tables of kallsyms in a kernel's memory by what they look like. */
#ifndef LOCKDUMP_KALLSYMS_SCAN_H
#define LOCKDUMP_KALLSYMS_SCAN_H

#include "symbols/kallsyms.h"

#define KALLSYMS_SCAN_GUESSES 4

/*
 * Where the tables may be: several guesses at where the addresses are and what they are, of which kallsyms_load()
 * takes the right one. Returns how many, 0 if there are no such tables between _stext and the kernel's data.
 */
size_t kallsyms_scan(struct memory *memory, const struct vmcoreinfo *info,
		     struct kallsyms_tables ret[KALLSYMS_SCAN_GUESSES]);

#endif
