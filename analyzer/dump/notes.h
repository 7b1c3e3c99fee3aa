/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF notes, out of a dump's headers or out of the dumped memory. */
#ifndef LOCKDUMP_NOTES_H
#define LOCKDUMP_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct note {
	const char *name; /* not necessarily ended by 0 */
	size_t name_size;
	uint32_t type;
	const void *desc;
	size_t desc_size;
};

/*
 * Takes the note at *@offset of @data, and moves *@offset behind it. False at
 * the end, or where what follows is no whole note.
 */
bool note_next(const void *data, size_t size, size_t *offset, struct note *ret);

bool note_is(const struct note *note, const char *name, uint32_t type);

#endif
