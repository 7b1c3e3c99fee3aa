/* SPDX-License-Identifier: GPL-2.0-only */
/* Types, as DWARF has them: what they are called in C, and what they are underneath. */
#ifndef LOCKDUMP_DWARF_TYPE_H
#define LOCKDUMP_DWARF_TYPE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#define TYPE_NAME_SIZE 256

/* The type of a variable, member or type, without typedefs and qualifiers. False: it has none, as a pointer to void. */
bool dwarf_plain_type_of(Dwarf_Die *die, Dwarf_Die *ret);

/* "const char *", "int [4]", "void (*)(struct work_struct *)": of the type of @die. */
void dwarf_type_name(Dwarf_Die *die, char ret[TYPE_NAME_SIZE]);

/* In bytes; false if it cannot be known. */
bool dwarf_type_size(Dwarf_Die *type, uint64_t *ret);

/* An attribute that is a number, of @die or what it stands for. */
bool dwarf_number(Dwarf_Die *die, unsigned int attribute, uint64_t *ret);

#endif
