// SPDX-License-Identifier: GPL-2.0-only
#include "debug_file.h"

#include <elf.h>
#include <string.h>

static const char names[] = "\0.debug_abbrev\0.debug_info\0.debug_addr\0.shstrtab";

static void add_section(struct fuzz_debug_file *f, const char *name, uint32_t type,
			const void *data, size_t size)
{
	Elf64_Shdr *section = &f->sections[f->ehdr.e_shnum++];
	size_t name_at = 0;

	while (strcmp(names + name_at, name))
		name_at++;
	*section = (Elf64_Shdr){
		.sh_name = name_at,
		.sh_type = type,
		.sh_offset = offsetof(struct fuzz_debug_file, bytes) + f->size,
		.sh_size = size,
		.sh_addralign = 1,
	};
	memcpy(f->bytes + f->size, data, size);
	f->size += size;
}

Dwarf *fuzz_debug_open(struct fuzz_debug_file *f, const struct fuzz_section *abbrevs,
		       const struct fuzz_section *info, const struct fuzz_section *addresses)
{
	*f = (struct fuzz_debug_file){};
	f->ehdr = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = offsetof(struct fuzz_debug_file, sections),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 1,
	};
	add_section(f, ".debug_abbrev", SHT_PROGBITS, abbrevs->data, abbrevs->size);
	add_section(f, ".debug_info", SHT_PROGBITS, info->data, info->size);
	if (addresses)
		add_section(f, ".debug_addr", SHT_PROGBITS, addresses->data, addresses->size);
	f->ehdr.e_shstrndx = f->ehdr.e_shnum;
	add_section(f, ".shstrtab", SHT_STRTAB, names, sizeof(names));
	elf_version(EV_CURRENT);
	f->elf = elf_memory((char *)f, offsetof(struct fuzz_debug_file, bytes) + f->size);
	return dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
}

void fuzz_debug_close(struct fuzz_debug_file *f, Dwarf *dwarf)
{
	dwarf_end(dwarf);
	elf_end(f->elf);
}
