/* SPDX-License-Identifier: GPL-2.0-only */
/* What a dump format gives to dump.c: its operations, and the state that they share. */
#ifndef LOCKDUMP_DUMP_FORMAT_H
#define LOCKDUMP_DUMP_FORMAT_H

#include "base/vector.h"
#include "dump/dump.h"
#include "dump/file.h"

struct dump_format {
	const char *name;

	/* Whether @head, the first file's first @size bytes, begins such a file. */
	bool (*probe)(const void *head, size_t size);

	/* Reads the headers: sets format_data, machine, notes and vmcoreinfo of @dump, and what it lacks. */
	struct error *(*init)(struct dump *dump);
	void (*deinit)(struct dump *dump);

	/* Reads the page with number @pfn whole. */
	struct error *(*read_page)(struct dump *dump, uint64_t pfn, void *page);

	/* Moves *@pfn on to the next page, itself included, that may be in the dump. False at the end. */
	bool (*next_page)(struct dump *dump, uint64_t *pfn);
};

extern const struct dump_format dump_format_elf;
extern const struct dump_format dump_format_kdump;

struct page_cache;

struct dump {
	const struct dump_format *format;
	void *format_data;
	struct dump_file *files; /* the parts of a split dump; else one */
	size_t nr_files;
	uint16_t machine;
	bool complete;
	bool live;
	VECTOR(struct error *) lacks;
	void *notes; /* malloc'ed */
	size_t notes_size;
	const char *vmcoreinfo; /* points into notes, or into text */
	size_t vmcoreinfo_size;
	char *text; /* malloc'ed */
	char release[65];
	struct page_cache *cache;
	struct page_log *log; /* NULL: nobody wants to know */
};

/* Says what the dump, which is not complete then, lacks; from physical address @pa on. */
struct error *dump_lacks(struct dump *dump, uint64_t pa, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adopts @size bytes at @offset of @file as the notes, and finds the vmcoreinfo in them. Bounds @size. */
struct error *dump_set_notes(struct dump *dump, const struct dump_file *file, uint64_t offset,
			     uint64_t size);

/* The same for a vmcoreinfo alone, unless there is one already. */
struct error *dump_set_vmcoreinfo(struct dump *dump, const struct dump_file *file, uint64_t offset,
				  uint64_t size);

#endif
