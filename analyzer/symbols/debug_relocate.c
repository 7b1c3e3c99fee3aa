// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module is an object file: its debug information holds no addresses, but relocations of SHT_RELA that say where
 * to put them. Where a section went when the module was loaded is known by any symbol of it: struct mod_kallsyms
 * has the symbols' addresses in the dump, the file's own symbol table has their offsets in the sections.
 */
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "symbols/debug_file.h"

#define MAX_SECTIONS 65536

struct relocation_type {
	uint16_t machine;
	uint32_t type;
	uint8_t size; /* bytes; 0: nothing to do */
	bool pc_relative;
};

/* Those that debug sections have. */
static const struct relocation_type relocation_types[] = {
	{ EM_X86_64, R_X86_64_NONE },
	{ EM_X86_64, R_X86_64_64, 8 },
	{ EM_X86_64, R_X86_64_32, 4 },
	{ EM_X86_64, R_X86_64_PC32, 4, true },
	{ EM_X86_64, R_X86_64_PC64, 8, true },
	{ EM_AARCH64, R_AARCH64_NONE },
	{ EM_AARCH64, R_AARCH64_ABS64, 8 },
	{ EM_AARCH64, R_AARCH64_ABS32, 4 },
	{ EM_AARCH64, R_AARCH64_PREL32, 4, true },
	{ EM_AARCH64, R_AARCH64_PREL64, 8, true },
};

struct name_and_value {
	const char *name;
	uint64_t value;
	uint32_t section; /* 0: the name is there more than once */
};

struct relocator {
	struct debug_file *file;
	GElf_Ehdr ehdr;
	Elf_Data *symbols;
	size_t nr_symbols, nr_sections;
	uint64_t *addresses; /* of the sections in the dump; 0: not known, or nothing in memory */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name_and_value *)a)->name,
		      ((const struct name_and_value *)b)->name);
}

/* The file's named symbols, in order of their names. */
static struct error *collect_names(const struct relocator *r, uint32_t strings,
				   struct name_and_value **ret, size_t *ret_count)
{
	size_t count = 0;
	struct name_and_value *names = calloc(r->nr_symbols + 1, sizeof(*names));

	if (!names)
		return &error_no_memory;
	for (size_t i = 1; i < r->nr_symbols; i++) {
		GElf_Sym sym;
		if (!gelf_getsym(r->symbols, i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    sym.st_shndx >= r->nr_sections || GELF_ST_TYPE(sym.st_info) == STT_SECTION)
			continue;
		const char *name = elf_strptr(r->file->elf, strings, sym.st_name);
		if (name && *name)
			names[count++] =
				(struct name_and_value){ name, sym.st_value, sym.st_shndx };
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(names[i - 1].name, names[i].name))
			names[i - 1].section = names[i].section = 0;
	*ret = names;
	*ret_count = count;
	return NULL;
}

/* All symbols of a section must agree on where it is. */
static struct error *place_sections(const struct relocator *r, const struct module *module,
				    uint32_t strings)
{
	_cleanup_free_ struct name_and_value *names = NULL;
	size_t count;

	struct error *err = collect_names(r, strings, &names, &count);
	for (size_t i = 0; !err && i < module->nr_symbols; i++) {
		const struct module_symbol *loaded = &module->symbols[i];
		const struct name_and_value key = { module->strings + loaded->name },
					    *found = bsearch(&key, names, count, sizeof(*names),
							     compare_names);
		if (!found || !found->section)
			continue;
		uint64_t *address = &r->addresses[found->section],
			 its = loaded->address - found->value;
		if (*address && *address != its)
			return error_create(ERROR_OTHER,
					    "%s: its symbols are not those of the module: %s",
					    r->file->path, found->name);
		*address = its;
	}
	return err;
}

static const struct relocation_type *find_type(uint16_t machine, uint32_t type)
{
	for (size_t i = 0; i < sizeof(relocation_types) / sizeof(relocation_types[0]); i++)
		if (relocation_types[i].machine == machine && relocation_types[i].type == type)
			return &relocation_types[i];
	return NULL;
}

static struct error *relocate(const struct relocator *r, const GElf_Rela *rela, Elf_Data *data)
{
	const struct relocation_type *type =
		find_type(r->ehdr.e_machine, GELF_R_TYPE(rela->r_info));
	GElf_Sym sym;

	if (!type)
		return error_create(ERROR_OTHER, "%s: relocation type %u", r->file->path,
				    (unsigned int)GELF_R_TYPE(rela->r_info));
	if (!type->size)
		return NULL;
	if (!gelf_getsym(r->symbols, GELF_R_SYM(rela->r_info), &sym) ||
	    rela->r_offset > data->d_size || data->d_size - rela->r_offset < type->size)
		return error_create(ERROR_OTHER, "%s: a relocation leads nowhere", r->file->path);
	uint64_t value = sym.st_value + rela->r_addend;
	if (sym.st_shndx != SHN_UNDEF && sym.st_shndx < r->nr_sections)
		value += r->addresses[sym.st_shndx];
	if (type->pc_relative)
		value -= rela->r_offset;
	memcpy((char *)data->d_buf + rela->r_offset, &value, type->size);
	return NULL;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return b - a < a_size || a - b < b_size;
}

/*
 * libelf uses the file's headers where they are, and relies on what it has checked once: no section that is written
 * to may have a part of them.
 */
static bool has_headers(const struct relocator *r, const Elf_Data *data)
{
	uint64_t start = (uintptr_t)data->d_buf - (uintptr_t)r->file->map, size = data->d_size;

	/* What was expanded, or had to be aligned, is not in the file. */
	if (start >= r->file->size)
		return false;
	return overlap(start, size, 0, sizeof(Elf64_Ehdr)) ||
	       overlap(start, size, r->ehdr.e_phoff, r->ehdr.e_phnum * sizeof(Elf64_Phdr)) ||
	       overlap(start, size, r->ehdr.e_shoff, r->nr_sections * sizeof(Elf64_Shdr));
}

static struct error *relocate_section(const struct relocator *r, Elf_Scn *relocations,
				      Elf_Scn *target, const GElf_Shdr *target_shdr)
{
	/* libdw takes the same, expanded and changed. */
	if (target_shdr->sh_flags & SHF_COMPRESSED && elf_compress(target, 0, 0) < 0)
		return error_create(ERROR_OTHER, "%s: %s", r->file->path, elf_errmsg(-1));
	Elf_Data *data = elf_getdata(target, NULL), *rela_data = elf_getdata(relocations, NULL);
	GElf_Rela rela;
	struct error *err = NULL;

	if (!data || !data->d_buf || !rela_data || rela_data->d_type != ELF_T_RELA)
		return error_create(ERROR_OTHER, "%s: %s", r->file->path, elf_errmsg(-1));
	if (has_headers(r, data))
		return error_create(ERROR_CORRUPT, "%s: a section over its headers", r->file->path);
	for (int i = 0; !err && gelf_getrela(rela_data, i, &rela); i++)
		err = relocate(r, &rela, data);
	return err;
}

static bool is_debug(const char *name)
{
	return name && (!strncmp(name, ".debug_", 7) || !strcmp(name, ".eh_frame"));
}

static struct error *relocate_sections(const struct relocator *r)
{
	size_t names;
	struct error *err = NULL;

	if (elf_getshdrstrndx(r->file->elf, &names))
		return error_create(ERROR_OTHER, "%s: %s", r->file->path, elf_errmsg(-1));
	for (Elf_Scn *scn = NULL; !err && (scn = elf_nextscn(r->file->elf, scn));) {
		GElf_Shdr shdr, target_shdr;
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA)
			continue;
		Elf_Scn *target = elf_getscn(r->file->elf, shdr.sh_info);
		if (target && gelf_getshdr(target, &target_shdr) &&
		    target_shdr.sh_type != SHT_NOBITS &&
		    is_debug(elf_strptr(r->file->elf, names, target_shdr.sh_name)))
			err = relocate_section(r, scn, target, &target_shdr);
	}
	return err;
}

struct error *debug_file_relocate(struct debug_file *file, const struct module *module)
{
	struct relocator r = { .file = file };
	GElf_Shdr shdr;
	Elf_Scn *scn = NULL;

	if (!gelf_getehdr(file->elf, &r.ehdr) || elf_getshdrnum(file->elf, &r.nr_sections) ||
	    r.nr_sections > MAX_SECTIONS)
		return error_create(ERROR_OTHER, "%s: no sections", file->path);
	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
			break;
	r.symbols = scn ? elf_getdata(scn, NULL) : NULL;
	if (!r.symbols)
		return error_create(ERROR_OTHER, "%s: no symbol table", file->path);
	r.nr_symbols = r.symbols->d_size / sizeof(Elf64_Sym);
	_cleanup_free_ uint64_t *addresses = calloc(r.nr_sections, sizeof(*addresses));
	if (!addresses)
		return &error_no_memory;
	r.addresses = addresses;
	struct error *err = place_sections(&r, module, shdr.sh_link);
	if (!err && mprotect(file->map, file->size, PROT_READ | PROT_WRITE))
		err = error_errno("%s", file->path);
	return err ? err : relocate_sections(&r);
}
