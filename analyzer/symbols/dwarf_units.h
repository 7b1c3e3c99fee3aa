/* SPDX-License-Identifier: GPL-2.0-only */
/* The units of a file's DWARF, by address; only those that are asked for are looked into. */
#ifndef LOCKDUMP_DWARF_UNITS_H
#define LOCKDUMP_DWARF_UNITS_H

#include "symbols/debug_file.h"

/* The code of a function; of one in several parts, one of them. */
struct dwarf_function {
	uint64_t start, end;
	Dwarf_Die die;
};

struct dwarf_unit {
	Dwarf_Die die;
	VECTOR(struct dwarf_function) functions;
};

struct error *dwarf_units_init(struct debug_file *file);
void dwarf_units_deinit(struct debug_file *file);

/* The unit with the code at @address of the file, or NULL. */
struct dwarf_unit *dwarf_unit_find(struct debug_file *file, uint64_t address);

/* The function that it is in, or NULL: code that was not written in C may have none. */
Dwarf_Die *dwarf_function_find(struct dwarf_unit *unit, uint64_t address);

#endif
