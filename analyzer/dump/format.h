/* SPDX-License-Identifier: GPL-2.0-only */
/* What a dump format gives to dump.c: its operations, and the state that they share. */
#ifndef LOCKDUMP_DUMP_FORMAT_H
#define LOCKDUMP_DUMP_FORMAT_H

#include "dump/dump.h"

struct dump_format {
	const char *name;

	/* Whether @head, the file's first @size bytes, begins such a file. */
	bool (*probe)(const void *head, size_t size);

	/* Reads the headers: sets format_data, machine, notes, vmcoreinfo and complete of @dump. */
	struct error *(*init)(struct dump *dump);
	void (*deinit)(struct dump *dump);

	/* Reads the page with number @pfn whole. */
	struct error *(*read_page)(struct dump *dump, uint64_t pfn, void *page);
};

extern const struct dump_format dump_format_elf;
extern const struct dump_format dump_format_kdump;

struct page_cache;

struct dump {
	const struct dump_format *format;
	void *format_data;
	char *path;
	int fd;
	uint64_t size; /* of the file, bytes */
	uint16_t machine;
	bool complete;
	void *notes; /* malloc'ed */
	size_t notes_size;
	const char *vmcoreinfo; /* points into notes */
	size_t vmcoreinfo_size;
	struct page_cache *cache;
};

/* Reads @size bytes at @offset of the file. ERROR_MISSING, with @pa as its address, if the file ends before. */
struct error *dump_file_read(const struct dump *dump, uint64_t offset, void *buf, size_t size,
			     uint64_t pa);

/* Adopts @size bytes at @offset as the notes, and finds the vmcoreinfo in them. Bounds @size. */
struct error *dump_set_notes(struct dump *dump, uint64_t offset, uint64_t size);

#endif
