/* SPDX-License-Identifier: GPL-2.0-only */
/* The sections of an ELF file that may be anything: a vmlinux, or what calls itself one. */
#ifndef LOCKDUMP_ELF_FILE_H
#define LOCKDUMP_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct elf_file {
	int fd;
	uint64_t size;
	uint16_t machine;
	Elf64_Shdr *sections;
	uint32_t nr_sections;
	char *names; /* ends with 0 */
	uint64_t names_size;
};

bool elf_file_probe(const void *head, size_t size);

/* Opens the 64-bit little-endian ELF file @path. */
struct error *elf_file_open(const char *path, struct elf_file *ret);
void elf_file_close(struct elf_file *file);

/* The section of that name, or, with no name, of that type; NULL if there is none. */
const Elf64_Shdr *elf_file_find(const struct elf_file *file, const char *name, uint32_t type);

/* What a section holds, in new memory that the caller frees. Compressed ones and those over @most bytes are refused. */
struct error *elf_file_read(const struct elf_file *file, const Elf64_Shdr *section, uint64_t most,
			    void *ret);

#endif
