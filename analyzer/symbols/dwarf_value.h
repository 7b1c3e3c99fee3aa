/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of C objects as text, as gdb would print them. */
#ifndef LOCKDUMP_DWARF_VALUE_H
#define LOCKDUMP_DWARF_VALUE_H

#include <elfutils/libdw.h>
#include <stdio.h>

#include "symbols/symbols.h"

/* The bytes of an object, as far as they are known. */
struct value_bytes {
	const uint8_t *bytes;
	const bool *known;
	size_t size;
};

#define VALUE_MAX_SIZE 4096 /* of larger objects only the beginning is wanted */

/*
 * Prints a value of the type that @die (a variable) has: numbers, enumerators, pointers with the symbol or the
 * string that they point to, the members of a struct, and "{...}" for those of its structs.
 */
void dwarf_print_value(struct symbols *symbols, Dwarf_Die *die, const struct value_bytes *value,
		       FILE *out);

#endif
