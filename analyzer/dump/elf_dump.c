// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF vmcores: /proc/vmcore, makedumpfile -E, QEMU's dump-guest-memory.
 *
 * An ELF core whose PT_LOAD segments carry physical addresses. What lies
 * beyond a segment's p_filesz, up to p_memsz, was excluded by makedumpfile.
 * The notes are in PT_NOTE segments. With 65535 segments or more, their number
 * is in sh_info of section 0 (PN_XNUM).
 */
#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "dump/format.h"

/* The kernel makes one segment for each range of System RAM: some dozens, thousands with hot-plugged memory. */
#define MAX_SEGMENTS (1u << 20)

struct segment {
	uint64_t pa;
	uint64_t memory_size;
	uint64_t offset;
	uint64_t file_size;
	uint64_t reach; /* the furthest end of this segment and of those before it */
};

struct elf_dump {
	struct segment *segments; /* by physical address */
	size_t count;
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

static struct error *segment_count(const struct dump *dump, const Elf64_Ehdr *ehdr, uint32_t *ret)
{
	Elf64_Shdr shdr;

	*ret = ehdr->e_phnum;
	if (ehdr->e_phnum != PN_XNUM)
		return NULL;
	struct error *err = dump_file_read(dump, ehdr->e_shoff, &shdr, sizeof(shdr), 0);
	if (err)
		return error_prefix(err, "ELF section header");
	*ret = shdr.sh_info;
	return NULL;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;
	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

static struct error *add_segment(struct dump *dump, struct elf_dump *elf, const Elf64_Phdr *phdr)
{
	uint64_t end;

	if (phdr->p_type == PT_NOTE && !dump->notes)
		return dump_set_notes(dump, phdr->p_offset, phdr->p_filesz);
	if (phdr->p_type != PT_LOAD)
		return NULL;
	if (__builtin_add_overflow(phdr->p_paddr, phdr->p_memsz, &end) ||
	    __builtin_add_overflow(phdr->p_offset, phdr->p_filesz, &end) ||
	    phdr->p_filesz > phdr->p_memsz)
		return error_fault(
			ERROR_CORRUPT, phdr->p_paddr, "ELF segment of 0x%llx bytes at 0x%llx",
			(unsigned long long)phdr->p_memsz, (unsigned long long)phdr->p_paddr);
	if (end > dump->size)
		dump->complete = false;
	elf->segments[elf->count++] = (struct segment){
		.pa = phdr->p_paddr,
		.memory_size = phdr->p_memsz,
		.offset = phdr->p_offset,
		.file_size = phdr->p_filesz,
	};
	return NULL;
}

static struct error *elf_init(struct dump *dump)
{
	Elf64_Ehdr ehdr;
	uint32_t count;
	struct error *err = dump_file_read(dump, 0, &ehdr, sizeof(ehdr), 0);

	if (!err)
		err = check_header(&ehdr);
	if (!err)
		err = segment_count(dump, &ehdr, &count);
	if (err)
		return err;
	if (!count || count > MAX_SEGMENTS)
		return error_fault(ERROR_CORRUPT, 0, "an ELF core of %u segments", count);
	if (ehdr.e_phoff > dump->size || count > (dump->size - ehdr.e_phoff) / sizeof(Elf64_Phdr))
		return error_fault(ERROR_MISSING, 0, "the file ends in its ELF program headers");

	struct elf_dump *elf = calloc(1, sizeof(*elf));
	_cleanup_free_ Elf64_Phdr *phdrs = malloc(count * sizeof(*phdrs));
	dump->format_data = elf;
	if (!elf || !phdrs || !(elf->segments = malloc(count * sizeof(*elf->segments))))
		return &error_no_memory;
	err = dump_file_read(dump, ehdr.e_phoff, phdrs, count * sizeof(*phdrs), 0);
	dump->machine = ehdr.e_machine;
	dump->complete = true;
	for (uint32_t i = 0; !err && i < count; i++)
		err = add_segment(dump, elf, &phdrs[i]);
	if (err)
		return err;
	qsort(elf->segments, elf->count, sizeof(*elf->segments), compare_segments);
	for (size_t i = 0; i < elf->count; i++) {
		struct segment *segment = &elf->segments[i];
		segment->reach = segment->pa + segment->memory_size;
		if (i && segment[-1].reach > segment->reach)
			segment->reach = segment[-1].reach;
	}
	return NULL;
}

static void elf_deinit(struct dump *dump)
{
	struct elf_dump *elf = dump->format_data;

	if (elf)
		free(elf->segments);
	free(elf);
}

/* The last segment that begins at or before @pa. */
static const struct segment *find_segment(const struct elf_dump *elf, uint64_t pa)
{
	size_t low = 0, high = elf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (elf->segments[middle].pa <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &elf->segments[low - 1] : NULL;
}

/* Copies what @segment has of the page at @start. */
static struct error *read_part(const struct dump *dump, const struct segment *segment,
			       uint64_t start, char *page)
{
	uint64_t from = segment->pa > start ? segment->pa : start;
	uint64_t in_page = from - start, n = segment->pa + segment->file_size - from;

	if (n > PAGE_SIZE - in_page)
		n = PAGE_SIZE - in_page;
	return dump_file_read(dump, segment->offset + (from - segment->pa), page + in_page, n,
			      start);
}

/*
 * Segments need not begin or end at a page's boundary (the first 640 KB do
 * not on many machines), and may overlap: /proc/vmcore has one for the
 * kernel's text within that of the memory around it. A page is put together
 * from all that cover it.
 */
static struct error *elf_read_page(struct dump *dump, uint64_t pfn, void *page)
{
	const struct elf_dump *elf = dump->format_data;
	uint64_t start = pfn << PAGE_SHIFT;
	const struct segment *segment = find_segment(elf, start + PAGE_SIZE - 1);
	bool covered = false, excluded = false;

	for (; segment && segment >= elf->segments && segment->reach > start; segment--) {
		if (start >= segment->pa && segment->file_size >= PAGE_SIZE &&
		    start - segment->pa <= segment->file_size - PAGE_SIZE)
			return read_part(dump, segment, start, page);
		if (segment->pa + segment->file_size <= start || !segment->file_size) {
			excluded = excluded || segment->pa + segment->memory_size > start;
			continue;
		}
		if (!covered)
			memset(page, 0, PAGE_SIZE);
		covered = true;
		struct error *err = read_part(dump, segment, start, page);
		if (err)
			return err;
	}
	if (covered)
		return NULL;
	if (excluded)
		return error_fault(ERROR_EXCLUDED, start,
				   "physical page 0x%llx was excluded from the dump",
				   (unsigned long long)start);
	return error_fault(ERROR_UNMAPPED, start, "no memory at physical address 0x%llx",
			   (unsigned long long)start);
}

const struct dump_format dump_format_elf = {
	.name = "ELF",
	.probe = elf_probe,
	.init = elf_init,
	.deinit = elf_deinit,
	.read_page = elf_read_page,
};
