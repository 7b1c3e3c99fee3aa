/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vmcores out of short texts, so that a test of a layout can be read. A line each:
 *
 *	format elf
 *	format kdump none|zlib|lzo|snappy|zstd
 *	machine NAME		x86_64 (the default), aarch64, riscv64
 *	info KEY=VALUE		a line of the vmcoreinfo; without any, there is none
 *	note NAME TYPE SIZE	an ELF note of that many zeros
 *	pa ADDRESS		where in physical memory the next lines write
 *	u8|u16|u32|u64 N...	numbers, one behind the other
 *	str TEXT		the rest of the line, and a 0
 *	fill SIZE N		that many bytes N
 *	random SIZE		that many bytes that do not compress
 *	excluded ADDRESS [SIZE]	pages that the machine has and makedumpfile left out
 *	missing ADDRESS		kdump: a page that was never written, for the disk was full
 *	damaged ADDRESS		kdump: a page whose bytes in the file are others
 *	size ADDRESS N		kdump: a page whose descriptor says that it has N bytes
 *	flags ADDRESS N		kdump: a page whose descriptor has these flags
 *	segment PA MEMSZ FILESZ	elf: a segment, instead of one for each run of pages
 *	xnum			elf: the number of segments stands in a section header
 *	incomplete		kdump: makedumpfile's own mark
 *	version N		kdump: of the header, 6 if none is said
 *	part START END		kdump: the part of a split dump that has the pages with these addresses
 *	flattened		as makedumpfile -F and QEMU have it
 *
 * What is written makes the pages that it touches. '#' begins a comment. Nonsense fails the test.
 */
#ifndef TESTS_MAKE_DUMP_H
#define TESTS_MAKE_DUMP_H

#include "dump/dump.h"

struct made_page;
struct made_segment;

struct make_dump {
	bool kdump, xnum, incomplete, flattened, part;
	uint64_t part_start, part_end; /* page numbers */
	int version;
	uint32_t compression;
	char machine[16];
	struct made_page *pages;
	size_t nr_pages;
	struct made_segment *segments;
	size_t nr_segments;
	char *notes;
	size_t notes_size;
	char *info;
	size_t info_size; /* once it is written */
	uint64_t at; /* where the next line writes */
	uint32_t random;
	char path[64];
	/* Where things are in the file, once it is written. */
	uint64_t size, notes_at, bitmap_at, descs_at, pages_at;
	/* A layer above may take lines, and addresses that are not physical. */
	void *above;
	bool (*take_line)(struct make_dump *d, char *line);
	uint64_t (*number)(struct make_dump *d, const char *text);
	void (*poke)(struct make_dump *d, uint64_t address, const void *data, size_t size);
	void (*finish)(struct make_dump *d);
};

void make_dump_init(struct make_dump *d);
void make_dump_deinit(struct make_dump *d); /* removes the file */

void make_dump_text(struct make_dump *d, const char *text);

/* One line, as printf() has it. */
void make_dump_line(struct make_dump *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes bytes to physical memory. */
void make_dump_poke(struct make_dump *d, uint64_t pa, const void *data, size_t size);

void make_dump_note(struct make_dump *d, const char *name, uint32_t type, const void *desc,
		    size_t size);

/* Writes the file, and returns its path. */
const char *make_dump_write(struct make_dump *d);

/* Rewrites the file as a flattened one: its blocks backwards, over others that are wrong. */
void make_dump_flatten(const struct make_dump *d);

/* Cuts the file off, or changes bytes in it. */
void make_dump_truncate(const struct make_dump *d, uint64_t size);
void make_dump_patch(const struct make_dump *d, uint64_t offset, const void *data, size_t size);

/* Writes the file and opens it, which must work. */
struct dump *make_dump_open(struct make_dump *d);

/* From text to an open dump; the file is gone already. */
struct dump *dump_of_text(const char *text);

/* A number that is written over what is in a file, and what the error says then. */
struct made_patch {
	uint64_t offset, value;
	unsigned int bytes;
	const char *says;
};

/* Fails the test if a dump of @text with that @patch opens. */
void assert_patch_refused(const char *text, const struct made_patch *patch);

/* Fails the test unless @err is there, of that class, and speaks of @text; frees it. */
void assert_error(struct error *err, enum error_class class, const char *text);

/* The same, and with that address. */
void assert_fault(struct error *err, enum error_class class, uint64_t address);

/* Fails the test, and says why, if @err is there. */
void assert_no_error(struct error *err);

#endif
