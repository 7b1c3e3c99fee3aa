// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/debug_file.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "base/sandbox.h"
#include "symbols/dwarf_units.h"

static struct error *map_file(struct debug_file *file, int opened)
{
	_cleanup_close_ int own = -1;
	struct stat st;
	uint64_t size;

	if (opened < 0) {
		struct error *err = regular_file_open(file->path, &own, &size);
		if (err)
			return err;
	} else {
		if (fstat(opened, &st))
			return error_errno("%s", file->path);
		size = st.st_size;
	}
	if (size < sizeof(Elf64_Ehdr))
		return error_create(ERROR_OTHER, "%s: not an ELF file", file->path);
	/* Only to be read: what may be written to counts as memory that was taken. */
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, opened < 0 ? own : opened, 0);
	if (map == MAP_FAILED)
		return error_errno("%s", file->path);
	file->map = map;
	file->size = size;
	return NULL;
}

static Elf_Scn *find_section(const struct debug_file *file, const char *name, GElf_Shdr *shdr)
{
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(file->elf, scn));) {
		const char *its = gelf_getshdr(scn, shdr)
					  ? elf_strptr(file->elf, names, shdr->sh_name)
					  : NULL;
		if (its && !strcmp(its, name))
			return scn;
	}
	return NULL;
}

/* libelf changes the header of a section that it expands, in place. */
static struct error *allow_headers(const struct debug_file *file, const GElf_Ehdr *ehdr)
{
	uint64_t start = ehdr->e_shoff & ~(uint64_t)(PAGE_SIZE - 1), size;
	size_t count;

	if (elf_getshdrnum(file->elf, &count) || ehdr->e_shoff >= file->size)
		return NULL;
	size = ehdr->e_shoff - start + count * sizeof(Elf64_Shdr);
	if (size > file->size - start)
		size = file->size - start;
	if (mprotect(file->map + start, size, PROT_READ | PROT_WRITE))
		return error_errno("%s", file->path);
	return NULL;
}

static struct error *check_elf(struct debug_file *file, uint16_t machine)
{
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;

	elf_version(EV_CURRENT);
	file->elf = elf_memory(file->map, file->size);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &ehdr) ||
	    gelf_getclass(file->elf) != ELFCLASS64 || ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_create(ERROR_OTHER, "%s: not a 64-bit ELF file", file->path);
	if (ehdr.e_machine != machine)
		return error_create(ERROR_OTHER, "%s: of ELF machine %u, the dump of %u",
				    file->path, ehdr.e_machine, machine);
	if (!find_section(file, ".debug_info", &shdr) || shdr.sh_type == SHT_NOBITS)
		return error_create(ERROR_NOT_FOUND, "%s: has no debug information", file->path);
	return allow_headers(file, &ehdr);
}

struct error *debug_file_open(const char *path, int fd, uint16_t machine, struct debug_file **ret)
{
	struct debug_file *file = calloc(1, sizeof(*file));

	if (!file)
		return &error_no_memory;
	file->path = strdup(path);
	struct error *err = file->path ? map_file(file, fd) : &error_no_memory;
	if (!err)
		err = check_elf(file, machine);
	if (err)
		debug_file_close(file);
	else
		*ret = file;
	return err;
}

void debug_file_close(struct debug_file *file)
{
	if (!file)
		return;
	dwarf_units_deinit(file);
	arena_deinit(&file->arena);
	/* That of .debug_frame is the Dwarf's own. */
	if (file->cfi[1])
		dwarf_cfi_end(file->cfi[1]);
	dwarf_end(file->dwarf);
	elf_end(file->elf);
	if (file->map)
		munmap(file->map, file->size);
	free(file->path);
	free(file);
}

void debug_file_build_id(const struct debug_file *file, struct build_id *ret)
{
	const void *bytes;
	ssize_t size = dwelf_elf_gnu_build_id(file->elf, &bytes);

	memset(ret, 0, sizeof(*ret));
	if (size > 0 && size <= BUILD_ID_MAX) {
		memcpy(ret->bytes, bytes, size);
		ret->size = size;
	}
}

bool debug_file_is_relocatable(const struct debug_file *file)
{
	GElf_Ehdr ehdr;

	return gelf_getehdr(file->elf, &ehdr) && ehdr.e_type == ET_REL;
}

uint64_t debug_file_section(const struct debug_file *file, const char *name)
{
	GElf_Shdr shdr;

	return find_section(file, name, &shdr) ? shdr.sh_addr : 0;
}

/*
 * libdw numbers all units up to the one that is asked for, which touches the whole of .debug_info. Done piece by
 * piece, the pages that only a unit's header was read from are given back, and stay in the page cache.
 */
#define NUMBERED_AT_ONCE (2u << 20)

static void number_units(struct debug_file *file)
{
	GElf_Shdr shdr;
	Dwarf_Off offset = 0, next, done = 0;
	size_t header;

	if (!find_section(file, ".debug_info", &shdr) || shdr.sh_flags & SHF_COMPRESSED ||
	    shdr.sh_size < 2 * NUMBERED_AT_ONCE || debug_file_is_relocatable(file))
		return;
	char *start = file->map + (shdr.sh_offset & ~(PAGE_SIZE - 1));
	for (; !dwarf_next_unit(file->dwarf, offset, &next, &header, NULL, NULL, NULL, NULL, NULL,
				NULL);
	     offset = next) {
		Dwarf_Die die;
		if (offset - done < NUMBERED_AT_ONCE)
			continue;
		if (!dwarf_offdie(file->dwarf, offset + header, &die))
			return;
		madvise(start, offset & ~(PAGE_SIZE - 1), MADV_DONTNEED);
		done = offset;
	}
}

struct error *debug_file_load(struct debug_file *file)
{
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	/* Else it would say so itself, and exit. */
	if (file->dwarf)
		dwarf_new_oom_handler(file->dwarf, sandbox_no_memory);
	if (!file->dwarf)
		return error_create(ERROR_OTHER, "%s: %s", file->path, dwarf_errmsg(-1));
	number_units(file);
	return dwarf_units_init(file);
}
