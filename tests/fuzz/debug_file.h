/* SPDX-License-Identifier: GPL-2.0-only */
/* A file with debug information, of which the sections are the target's and the input's. */
#ifndef TESTS_FUZZ_DEBUG_FILE_H
#define TESTS_FUZZ_DEBUG_FILE_H

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_DEBUG_SIZE 16384 /* of all sections */

struct fuzz_section {
	const void *data;
	size_t size;
};

struct fuzz_debug_file {
	Elf64_Ehdr ehdr;
	Elf64_Shdr sections[5];
	uint8_t bytes[FUZZ_DEBUG_SIZE];
	size_t size; /* of bytes */
	Elf *elf;
};

/* @addresses may be NULL. The file must live until fuzz_debug_close(). */
Dwarf *fuzz_debug_open(struct fuzz_debug_file *f, const struct fuzz_section *abbrevs,
		       const struct fuzz_section *info, const struct fuzz_section *addresses);
void fuzz_debug_close(struct fuzz_debug_file *f, Dwarf *dwarf);

#endif
