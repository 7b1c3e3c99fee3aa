// SPDX-License-Identifier: GPL-2.0-only
#include "dump/notes.h"

#include <elf.h>
#include <string.h>

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

bool note_next(const void *data, size_t size, size_t *offset, struct note *ret)
{
	Elf64_Nhdr nhdr;
	size_t at = *offset;

	if (at > size || size - at < sizeof(nhdr))
		return false;
	memcpy(&nhdr, (const char *)data + at, sizeof(nhdr));
	at += sizeof(nhdr);
	/* An empty header ends the notes of a CPU in memory: final_note(), kernel/crash_core.c. */
	if (!nhdr.n_namesz && !nhdr.n_descsz && !nhdr.n_type)
		return false;
	if (nhdr.n_namesz > size - at)
		return false;
	ret->name = (const char *)data + at;
	ret->name_size = nhdr.n_namesz;
	at = align4(at + nhdr.n_namesz);
	if (at > size || nhdr.n_descsz > size - at)
		return false;
	ret->type = nhdr.n_type;
	ret->desc = (const char *)data + at;
	ret->desc_size = nhdr.n_descsz;
	*offset = align4(at + nhdr.n_descsz);
	return true;
}

bool note_is(const struct note *note, const char *name, uint32_t type)
{
	size_t len = strlen(name);

	/* The size counts the 0 at the end; some writers leave it out. */
	return note->type == type && (note->name_size == len || note->name_size == len + 1) &&
	       !memcmp(note->name, name, len);
}
