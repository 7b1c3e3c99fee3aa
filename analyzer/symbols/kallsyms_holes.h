/* SPDX-License-Identifier: GPL-2.0-only */
/* For kallsyms.c: tables of which pages are missing. */
#ifndef LOCKDUMP_KALLSYMS_HOLES_H
#define LOCKDUMP_KALLSYMS_HOLES_H

#include "symbols/kallsyms.h"

/* The kernel's kallsyms_markers: where in the names every 256th begins. 0: not known. */
struct kallsyms_markers {
	uint32_t *places;
	uint32_t count;
};

/*
 * Finds them behind the names that begin at @va, of which @count symbols have been read and begin as
 * @kallsyms->markers says. ERROR_NOT_FOUND if they are not there.
 */
struct error *kallsyms_find_markers(const struct kallsyms *kallsyms, struct memory *memory,
				    uint64_t va, uint32_t count, struct kallsyms_markers *ret);

/* Counts the symbols by their markers and the names behind the last one. False if these are not there. */
bool kallsyms_count(struct memory *memory, uint64_t names, uint32_t *ret);

/*
 * Goes on behind a part of the names that is not there: *@index is the symbol that begins before or in it,
 * and becomes the first that is known to begin at or behind @end, at *@at.
 */
struct error *kallsyms_skip_names(struct kallsyms *kallsyms, const struct kallsyms_markers *markers,
				  size_t end, uint32_t *index, size_t *at);

/* Puts the address before a hole into all that is missing, so that the table is still sorted. */
struct error *kallsyms_fill_addresses(struct kallsyms *kallsyms, const struct holes *holes,
				      bool place_relative);

/* Makes the index of the tokens, which are one behind the other, out of them. False if they are not there. */
bool kallsyms_count_tokens(struct memory *memory, uint64_t table_va, uint16_t ret[256]);

/* The end of the lost symbols that @index is one of; @index itself if it is none. */
uint32_t kallsyms_lost_end(const struct kallsyms_lost *lost, uint32_t index);

#endif
