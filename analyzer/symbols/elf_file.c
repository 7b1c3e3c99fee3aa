// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/elf_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"

#define MAX_SECTIONS   65536 /* a vmlinux has below 100 */
#define MAX_NAMES_SIZE (16u << 20)

bool elf_file_probe(const void *head, size_t size)
{
	return size >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static struct error *read_at(const struct elf_file *file, uint64_t offset, uint64_t size,
			     uint64_t most, void *ret)
{
	if (size > most || offset > file->size || size > file->size - offset)
		return error_create(ERROR_CORRUPT, "%llu bytes at %llu are not in the file",
				    (unsigned long long)size, (unsigned long long)offset);
	_cleanup_free_ char *buf = malloc(size ? size : 1);
	if (!buf)
		return &error_no_memory;
	for (uint64_t done = 0; done < size;) {
		ssize_t n = pread(file->fd, buf + done, size - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("cannot read");
		if (!n)
			return error_create(ERROR_CORRUPT, "the file got shorter");
		done += n;
	}
	*(void **)ret = steal_ptr(buf);
	return NULL;
}

static struct error *read_headers(struct elf_file *file)
{
	_cleanup_free_ Elf64_Ehdr *header = NULL;

	struct error *err = read_at(file, 0, sizeof(*header), sizeof(*header), &header);
	if (err)
		return err;
	if (!elf_file_probe(header, sizeof(*header)) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB)
		return error_create(ERROR_CORRUPT, "no 64-bit little-endian ELF file");
	if (!header->e_shnum || header->e_shentsize != sizeof(*file->sections) ||
	    header->e_shstrndx >= header->e_shnum)
		return error_create(ERROR_CORRUPT, "an ELF file without sections");
	file->machine = header->e_machine;
	file->nr_sections = header->e_shnum;
	err = read_at(file, header->e_shoff, file->nr_sections * sizeof(*file->sections),
		      MAX_SECTIONS * sizeof(*file->sections), &file->sections);
	if (err)
		return err;
	const Elf64_Shdr *names = &file->sections[header->e_shstrndx];
	file->names_size = names->sh_size;
	err = elf_file_read(file, names, MAX_NAMES_SIZE, &file->names);
	if (!err && (!file->names_size || file->names[file->names_size - 1]))
		err = error_create(ERROR_CORRUPT, "the sections' names do not end");
	return err;
}

struct error *elf_file_open(const char *path, struct elf_file *ret)
{
	*ret = (struct elf_file){};
	struct error *err = regular_file_open(path, &ret->fd, &ret->size);
	if (err)
		return err;
	err = read_headers(ret);
	if (err)
		elf_file_close(ret);
	return error_prefix(err, "%s", path);
}

void elf_file_close(struct elf_file *file)
{
	free(file->sections);
	free(file->names);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct elf_file){ .fd = -1 };
}

const Elf64_Shdr *elf_file_find(const struct elf_file *file, const char *name, uint32_t type)
{
	for (uint32_t i = 0; i < file->nr_sections; i++) {
		const Elf64_Shdr *section = &file->sections[i];
		if (name ? section->sh_name < file->names_size &&
				    !strcmp(file->names + section->sh_name, name)
			 : section->sh_type == type)
			return section;
	}
	return NULL;
}

struct error *elf_file_read(const struct elf_file *file, const Elf64_Shdr *section, uint64_t most,
			    void *ret)
{
	if (section->sh_type == SHT_NOBITS || section->sh_flags & SHF_COMPRESSED)
		return error_create(ERROR_NOT_FOUND, "a section whose bytes are not in the file");
	return read_at(file, section->sh_offset, section->sh_size, most, ret);
}
