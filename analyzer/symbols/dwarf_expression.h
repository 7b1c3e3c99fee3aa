/* SPDX-License-Identifier: GPL-2.0-only */
/* DWARF expressions: where an object is, or was, and what it held. */
#ifndef LOCKDUMP_DWARF_EXPRESSION_H
#define LOCKDUMP_DWARF_EXPRESSION_H

#include <elfutils/libdw.h>

#include "dump/memory.h"

/* What an expression may ask for. False: it is not known, and so is what hangs on it. */
struct expression_context {
	struct memory *memory;
	uint64_t bias; /* of the file's addresses */
	Dwarf_Attribute *attribute; /* that the expression is from, or NULL */
	void *data; /* for the functions, which may be NULL */
	bool (*read_register)(void *data, unsigned int number, uint64_t *ret);
	bool (*frame_address)(void *data, uint64_t *ret); /* the CFA */
	bool (*frame_base)(void *data, uint64_t *ret);
	/* The value that the expression had when the function was entered. */
	bool (*entry_value)(void *data, const Dwarf_Op *ops, size_t count, uint64_t *ret);
	bool unreadable; /* set if memory that was asked for is not in the dump */
};

/*
 * Reads the @size bytes of the object that the expression locates into @buf. known[i] says whether buf[i] could be
 * had.
 */
void expression_read(struct expression_context *context, const Dwarf_Op *ops, size_t count,
		     uint8_t *buf, bool *known, size_t size);

/* The address that the expression computes, or with @of_object the word that is there. */
bool expression_word(struct expression_context *context, const Dwarf_Op *ops, size_t count,
		     bool of_object, uint64_t *ret);

#endif
