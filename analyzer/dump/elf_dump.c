// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF vmcores: /proc/vmcore, makedumpfile -E, QEMU's dump-guest-memory, /proc/kcore.
 *
 * An ELF core whose PT_LOAD segments carry physical addresses. What lies
 * beyond a segment's p_filesz, up to p_memsz, was excluded by makedumpfile.
 * The notes are in PT_NOTE segments. With 65535 segments or more, their number
 * is in sh_info of section 0 (PN_XNUM).
 *
 * Segments need not begin or end at a page's boundary (the first 640 KB do
 * not on many machines), and may overlap: /proc/vmcore has one for the
 * kernel's text within that of the memory around it, and QEMU with paging=true
 * has one for each range of virtual memory that is mapped somewhere.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dump/format.h"

/* The kernel makes one segment for each range of System RAM: some dozens, thousands with hot-plugged memory. */
#define MAX_SEGMENTS (1u << 20)

/* p_paddr of what is no physical memory: QEMU has none for it in the file, /proc/kcore only virtual memory. */
#define NOWHERE UINT64_MAX

struct elf_dump {
	struct extents stored; /* from physical addresses to the file */
	struct extents promised; /* what would be stored if the file were whole */
	struct extents memory; /* what the machine has */
	uint64_t data, data_end; /* bytes of the file that are in no hole of it */
};

static bool elf_probe(const void *head, size_t size)
{
	return size >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static struct error *check_header(const Elf64_Ehdr *ehdr)
{
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return error_create(ERROR_OTHER, "a 32-bit or big-endian ELF file; only 64-bit "
						 "little-endian kernels can be read");
	if (ehdr->e_type != ET_CORE)
		return error_create(ERROR_OTHER, "an ELF file, but no core (e_type %u)",
				    ehdr->e_type);
	if (ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return error_fault(ERROR_CORRUPT, 0, "ELF program headers of %u bytes",
				   ehdr->e_phentsize);
	return NULL;
}

static struct error *segment_count(const struct dump_file *file, const Elf64_Ehdr *ehdr,
				   uint32_t *ret)
{
	Elf64_Shdr shdr;

	*ret = ehdr->e_phnum;
	if (ehdr->e_phnum != PN_XNUM)
		return NULL;
	struct error *err = dump_file_read(file, ehdr->e_shoff, &shdr, sizeof(shdr), 0);
	if (err)
		return error_prefix(err, "ELF section header");
	*ret = shdr.sh_info;
	return NULL;
}

static struct error *add_segment(struct dump *dump, struct elf_dump *elf, const Elf64_Phdr *phdr)
{
	const struct dump_file *file = &dump->files[0];
	uint64_t in_file = phdr->p_filesz, end;

	if (phdr->p_type == PT_NOTE && !dump->notes)
		return dump_set_notes(dump, file, phdr->p_offset, phdr->p_filesz);
	if (phdr->p_type != PT_LOAD || phdr->p_paddr == NOWHERE)
		return NULL;
	if (__builtin_add_overflow(phdr->p_paddr, phdr->p_memsz, &end) ||
	    (phdr->p_filesz && __builtin_add_overflow(phdr->p_offset, phdr->p_filesz, &end)) ||
	    phdr->p_filesz > phdr->p_memsz)
		return error_fault(
			ERROR_CORRUPT, phdr->p_paddr, "ELF segment of 0x%llx bytes at 0x%llx",
			(unsigned long long)phdr->p_memsz, (unsigned long long)phdr->p_paddr);
	if (in_file && end > file->size)
		in_file = phdr->p_offset < file->size ? file->size - phdr->p_offset : 0;
	if (!extents_add(&elf->stored, phdr->p_paddr, in_file, phdr->p_offset) ||
	    !extents_add(&elf->promised, phdr->p_paddr, phdr->p_filesz, 0) ||
	    !extents_add(&elf->memory, phdr->p_paddr, phdr->p_memsz, 0))
		return &error_no_memory;
	return NULL;
}

/* The first address of what is @promised and not @stored. */
static bool find_missing(const struct elf_dump *elf, uint64_t *ret)
{
	for (size_t i = 0; i < elf->promised.list.count; i++) {
		const struct extent *promised = &elf->promised.list.data[i];
		*ret = promised->start;
		while (*ret < promised->end) {
			const struct extent *stored = extents_find(&elf->stored, *ret);
			if (!stored || stored->start > *ret)
				return true;
			*ret = stored->end;
		}
	}
	return false;
}

static struct error *finish_segments(struct dump *dump, struct elf_dump *elf)
{
	uint64_t missing;

	struct error *err = extents_finish(&elf->stored);
	if (!err)
		err = extents_finish(&elf->promised);
	if (!err)
		err = extents_finish(&elf->memory);
	if (!err && find_missing(elf, &missing))
		err = dump_lacks(dump, missing,
				 "the dump is incomplete: the file ends before physical "
				 "memory from 0x%llx on",
				 (unsigned long long)missing);
	return err;
}

static struct error *elf_init(struct dump *dump)
{
	const struct dump_file *file = &dump->files[0];
	Elf64_Ehdr ehdr;
	uint32_t count;

	if (dump->nr_files > 1)
		return error_create(ERROR_OTHER, "an ELF core, and no part of a split dump");
	struct error *err = dump_file_read(file, 0, &ehdr, sizeof(ehdr), 0);
	if (!err)
		err = check_header(&ehdr);
	if (!err)
		err = segment_count(file, &ehdr, &count);
	if (err)
		return err;
	if (!count || count > MAX_SEGMENTS)
		return error_fault(ERROR_CORRUPT, 0, "an ELF core of %u segments", count);
	if (ehdr.e_phoff > file->size || count > (file->size - ehdr.e_phoff) / sizeof(Elf64_Phdr))
		return error_fault(ERROR_MISSING, 0, "the file ends in its ELF program headers");

	struct elf_dump *elf = calloc(1, sizeof(*elf));
	_cleanup_free_ Elf64_Phdr *phdrs = malloc(count * sizeof(*phdrs));
	dump->format_data = elf;
	if (!elf || !phdrs)
		return &error_no_memory;
	err = dump_file_read(file, ehdr.e_phoff, phdrs, count * sizeof(*phdrs), 0);
	dump->machine = ehdr.e_machine;
	for (uint32_t i = 0; !err && i < count; i++)
		err = add_segment(dump, elf, &phdrs[i]);
	return err ? err : finish_segments(dump, elf);
}

static void elf_deinit(struct dump *dump)
{
	struct elf_dump *elf = dump->format_data;

	if (!elf)
		return;
	extents_deinit(&elf->stored);
	extents_deinit(&elf->promised);
	extents_deinit(&elf->memory);
	free(elf);
}

/* How many of the @size bytes at @at are in no extent, up to the next one, which *@ret is then. */
static uint64_t gap(const struct extents *extents, uint64_t at, uint64_t size,
		    const struct extent **ret)
{
	const struct extent *next = *ret = extents_find(extents, at);

	if (!next || (next->start > at && next->start - at >= size))
		return size;
	return next->start > at ? next->start - at : 0;
}

static bool has_part(const struct extents *extents, uint64_t start)
{
	const struct extent *extent;

	return gap(extents, start, PAGE_SIZE, &extent) < PAGE_SIZE;
}

static struct error *absent(const struct elf_dump *elf, uint64_t start)
{
	if (has_part(&elf->promised, start))
		return error_fault(ERROR_MISSING, start,
				   "the file ends before physical page 0x%llx",
				   (unsigned long long)start);
	if (has_part(&elf->memory, start))
		return error_fault(ERROR_EXCLUDED, start,
				   "physical page 0x%llx was excluded from the dump",
				   (unsigned long long)start);
	return error_fault(ERROR_UNMAPPED, start, "no memory at physical address 0x%llx",
			   (unsigned long long)start);
}

/* A page is put together from all that have a part of it; what nobody has is zeros. */
static struct error *elf_read_page(struct dump *dump, uint64_t pfn, void *page)
{
	const struct elf_dump *elf = dump->format_data;
	const struct extent *stored, *promised;
	uint64_t start = pfn << PAGE_SHIFT;

	if (!has_part(&elf->stored, start))
		return absent(elf, start);
	for (uint64_t done = 0, n; done < PAGE_SIZE; done += n) {
		uint64_t at = start + done, left = PAGE_SIZE - done;
		n = gap(&elf->stored, at, left, &stored);
		if (n) {
			if (gap(&elf->promised, at, n, &promised) < n)
				return absent(elf, start);
			memset((char *)page + done, 0, n);
			continue;
		}
		n = stored->end - at < left ? stored->end - at : left;
		struct error *err =
			dump_file_read(&dump->files[0], stored->at + (at - stored->start),
				       (char *)page + done, n, start);
		if (err)
			return err;
	}
	return NULL;
}

/* How many bytes of the file are a hole from @offset on, up to @most. A file system that cannot tell has none. */
static uint64_t hole_at(struct elf_dump *elf, const struct dump_file *file, uint64_t offset,
			uint64_t most)
{
	if (file->flattened)
		return 0;
	if (offset < elf->data || offset >= elf->data_end) {
		off_t data = lseek(file->fd, offset, SEEK_DATA);
		/* ENXIO: there is none behind. */
		uint64_t none = data < 0 && errno == ENXIO ? file->size : offset;
		off_t data_end = data < 0 ? -1 : lseek(file->fd, data, SEEK_HOLE);
		elf->data = data < 0 ? none : (uint64_t)data;
		elf->data_end = data_end < 0 ? file->size : (uint64_t)data_end;
	}
	if (offset >= elf->data)
		return 0;
	return elf->data - offset < most ? elf->data - offset : most;
}

/* Zeros are nothing to look for, and a sparse file may have any number of them. */
static bool elf_next_page(struct dump *dump, uint64_t *pfn)
{
	struct elf_dump *elf = dump->format_data;
	const struct extent *extent;

	for (; *pfn <= UINT64_MAX >> PAGE_SHIFT; ++*pfn) {
		uint64_t start = *pfn << PAGE_SHIFT;
		extent = extents_find(&elf->stored, start);
		if (!extent)
			return false;
		if (extent->start > start) {
			*pfn = extent->start >> PAGE_SHIFT;
			start = extent->start;
		}
		uint64_t hole = hole_at(elf, &dump->files[0], extent->at + (start - extent->start),
					extent->end - start);
		if (hole < PAGE_SIZE)
			return true;
		*pfn += (hole >> PAGE_SHIFT) - 1;
	}
	return false;
}

const struct dump_format dump_format_elf = {
	.name = "ELF",
	.probe = elf_probe,
	.init = elf_init,
	.deinit = elf_deinit,
	.read_page = elf_read_page,
	.next_page = elf_next_page,
};
