// SPDX-License-Identifier: GPL-2.0-only
/* kdump-compressed vmcores: see kdump_format.h. */
#include <elf.h>
#include <string.h>

#include "dump/decompress.h"
#include "dump/format.h"
#include "dump/kdump_format.h"
#include "dump/notes.h"
#include "dump/page_bitmap.h"

/* A bit of disk_dump_header.status. */
#define INCOMPLETE 0x8

/* Descriptors that are read together: pages that follow each other are read together too. */
#define DESCS_BLOCK 64
#define DESCS_CACHE 64

#define MAX_PARTS 1024

/* Descriptors at the end that may all be of zeros: they are looked through for another. */
#define MAX_ZERO_PAGES (1u << 16)

/* A file of the dump: the only one, or one of those that it was split into. */
struct part {
	const struct dump_file *file;
	struct disk_dump_header header;
	uint64_t start, end; /* pages whose descriptors it has */
	uint64_t nr_pages; /* bits of a bitmap that count */
	uint64_t descs_offset;
	struct page_bitmap present, dumped;
	uint64_t first_rank; /* of start */
	struct {
		uint64_t number; /* plus one: 0 is a free place */
		struct page_desc descs[DESCS_BLOCK];
	} * cache;
};

struct kdump_dump {
	struct part *parts; /* by their pages */
	size_t nr_parts;
	uint64_t nr_pages;
	ZSTD_DCtx *zstd;
};

static bool kdump_probe(const void *head, size_t size)
{
	return size >= strlen(KDUMP_SIGNATURE) &&
	       !memcmp(head, KDUMP_SIGNATURE, strlen(KDUMP_SIGNATURE));
}

static struct error *check_header(const struct disk_dump_header *header, uint16_t *machine_ret)
{
	const char *machine = header->utsname[4];
	size_t size = sizeof(header->utsname[4]);

	if (!kdump_probe(header, sizeof(*header)))
		return error_create(ERROR_OTHER, "no kdump-compressed dump, like the other files");
	if (header->block_size != PAGE_SIZE)
		return error_create(ERROR_OTHER,
				    "a dump with pages of %d bytes; only 4096 can be read",
				    header->block_size);
	if (header->sub_hdr_size < 1 || header->sub_hdr_size > 1 << 20)
		return error_fault(ERROR_CORRUPT, 0, "sub-header of %d blocks",
				   header->sub_hdr_size);
	if (!strncmp(machine, "x86_64", size))
		*machine_ret = EM_X86_64;
	else if (!strncmp(machine, "aarch64", size))
		*machine_ret = EM_AARCH64;
	else if (strncmp(machine, "Unknown", size) && *machine)
		return error_create(ERROR_OTHER,
				    "a vmcore of a '%.*s' machine; only x86_64 can be read",
				    (int)size, machine);
	return NULL;
}

/* What the sub-header has depends on the version; behind it are zeros. */
static struct error *take_sub_header(struct part *part, const struct kdump_sub_header *sub)
{
	int32_t version = part->header.version;
	/* Each bitmap fills half of the blocks. */
	uint64_t bitmap_bytes = (uint64_t)part->header.bitmap_blocks * PAGE_SIZE / 2;

	part->nr_pages = version >= 6 ? sub->max_mapnr_64 : part->header.max_mapnr;
	part->end = part->nr_pages;
	if (version >= 2 && sub->split) {
		part->start = version >= 6 ? sub->start_pfn_64 : sub->start_pfn;
		part->end = version >= 6 ? sub->end_pfn_64 : sub->end_pfn;
	}
	if (!part->nr_pages || part->nr_pages > KDUMP_MAX_PAGES ||
	    part->nr_pages > bitmap_bytes * 8)
		return error_fault(ERROR_CORRUPT, 0, "%llu pages in bitmaps of %llu bytes",
				   (unsigned long long)part->nr_pages,
				   (unsigned long long)bitmap_bytes);
	if (part->start > part->end || part->end > part->nr_pages)
		return error_fault(ERROR_CORRUPT, 0, "a part with pages %llu to %llu, of %llu",
				   (unsigned long long)part->start, (unsigned long long)part->end,
				   (unsigned long long)part->nr_pages);
	return NULL;
}

static struct error *read_notes(struct dump *dump, const struct part *part,
				const struct kdump_sub_header *sub)
{
	int32_t version = part->header.version;
	struct error *err = NULL;

	if (dump->notes)
		return NULL;
	if (version >= 4 && sub->size_note)
		err = dump_set_notes(dump, part->file, sub->offset_note, sub->size_note);
	if (!err && version >= 3 && sub->offset_vmcoreinfo)
		err = dump_set_vmcoreinfo(dump, part->file, sub->offset_vmcoreinfo,
					  sub->size_vmcoreinfo);
	return err;
}

/* QEMU does not know what machine it is (ELF_MACHINE_UNAME in 10.0): the size of struct elf_prstatus tells. */
static struct error *guess_machine(struct dump *dump)
{
	struct note note;

	for (size_t at = 0; note_next(dump->notes, dump->notes_size, &at, &note);) {
		if (!note_is(&note, "CORE", NT_PRSTATUS))
			continue;
		if (note.desc_size == 336)
			dump->machine = EM_X86_64;
		else if (note.desc_size == 392)
			dump->machine = EM_AARCH64;
	}
	if (dump->machine == EM_NONE)
		return error_create(ERROR_OTHER,
				    "a vmcore whose header does not say of what machine");
	return NULL;
}

static struct error *init_bitmaps(struct part *part)
{
	uint64_t bytes = (uint64_t)part->header.bitmap_blocks * PAGE_SIZE / 2;
	uint64_t offset = (1 + (uint64_t)part->header.sub_hdr_size) * PAGE_SIZE;

	part->descs_offset = offset + 2 * bytes;
	part->cache = calloc(DESCS_CACHE, sizeof(*part->cache));
	if (!part->cache)
		return &error_no_memory;
	struct error *err = page_bitmap_init(&part->present, part->file, offset, part->nr_pages);
	return err ? err
		   : page_bitmap_init(&part->dumped, part->file, offset + bytes, part->nr_pages);
}

/*
 * Reads the headers of a file. What was cut off, or never written, is a part
 * without pages; what makes no sense is an error.
 */
static struct error *init_part(struct dump *dump, const struct dump_file *file, struct part *part,
			       bool *split_ret)
{
	struct kdump_sub_header sub = {};
	uint16_t machine = EM_NONE;

	part->file = file;
	struct error *err = dump_file_read(file, 0, &part->header, sizeof(part->header), 0);
	if (!err)
		err = check_header(&part->header, &machine);
	if (err)
		return err;
	dump->machine = machine;
	if (!dump->release[0])
		memcpy(dump->release, part->header.utsname[2], sizeof(dump->release) - 1);
	err = dump_file_read(file, PAGE_SIZE, &sub, sizeof(sub), 0);
	if (err && err->class == ERROR_MISSING) {
		error_destroy(err);
		return dump_lacks(dump, 0, "%s ends in its headers", file->path);
	}
	if (!err)
		err = take_sub_header(part, &sub);
	if (!err)
		err = read_notes(dump, part, &sub);
	*split_ret = part->header.version >= 2 && sub.split;
	return err ? err : init_bitmaps(part);
}

static struct error *read_desc(struct part *part, uint64_t index, uint64_t pa,
			       struct page_desc *ret)
{
	uint64_t number = index / DESCS_BLOCK, in_block = index % DESCS_BLOCK;
	uint64_t offset = part->descs_offset + number * sizeof(part->cache->descs);
	typeof(*part->cache) *block = &part->cache[number % DESCS_CACHE];
	struct error *err = NULL;

	if (block->number != number + 1) {
		block->number = 0;
		err = dump_file_read(part->file, offset, block->descs, sizeof(block->descs), pa);
		if (!err)
			block->number = number + 1;
	}
	/* The file may end in the block, and yet behind the descriptor. */
	if (err && err->class == ERROR_MISSING) {
		error_destroy(err);
		return dump_file_read(part->file, offset + in_block * sizeof(*ret), ret,
				      sizeof(*ret), pa);
	}
	if (!err)
		*ret = block->descs[in_block];
	return err;
}

static struct error *find_desc(struct part *part, uint64_t pfn, struct page_desc *ret)
{
	uint64_t rank;
	struct error *err = page_bitmap_rank(&part->dumped, pfn, &rank);

	return err ? err : read_desc(part, rank - part->first_rank, pfn << PAGE_SHIFT, ret);
}

/* Whether the page of @desc is in the file whole. */
static bool is_stored(const struct part *part, const struct page_desc *desc)
{
	return desc->offset && desc->offset <= part->file->size &&
	       desc->size <= part->file->size - desc->offset;
}

static bool is_stored_at(struct part *part, uint64_t index)
{
	struct page_desc desc;
	struct error *err = read_desc(part, index, 0, &desc);
	bool ret = !err && is_stored(part, &desc);

	error_destroy(err);
	return ret;
}

/* The page whose descriptor is the one with @index. */
static uint64_t page_of(struct part *part, uint64_t index)
{
	uint64_t low = part->start, high = part->end, rank;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct error *err = page_bitmap_rank(&part->dumped, middle + 1, &rank);
		if (err || rank - part->first_rank > index)
			high = middle;
		else
			low = middle + 1;
		error_destroy(err);
	}
	return low;
}

/*
 * The last of @count descriptors whose page has a place of its own: those of
 * zeros share the first. One that cannot be read will do.
 */
static uint64_t last_own(struct part *part, uint64_t count)
{
	struct page_desc first, desc;
	struct error *err = read_desc(part, 0, 0, &first);
	uint64_t index = count - 1;

	while (!err && index && count - index < MAX_ZERO_PAGES) {
		err = read_desc(part, index, 0, &desc);
		if (err || desc.offset != first.offset)
			break;
		index--;
	}
	error_destroy(err);
	return index;
}

/*
 * makedumpfile sets INCOMPLETE when it notices; a file that was cut off later
 * says nothing. Pages lie in the order of their descriptors, so the last one
 * tells, and the first that is missing is found by halving.
 */
static struct error *check_end(struct dump *dump, struct part *part)
{
	uint64_t count;
	struct error *err = page_bitmap_rank(&part->dumped, part->start, &part->first_rank);

	if (!err)
		err = page_bitmap_rank(&part->dumped, part->end, &count);
	if (err && err->class == ERROR_MISSING) {
		struct error *lacks = dump_lacks(dump, err->address, "%s ends in its page bitmaps",
						 part->file->path);
		error_destroy(err);
		return lacks;
	}
	if (err)
		return err;
	count -= part->first_rank;
	uint64_t low = 0, high = count ? last_own(part, count) : 0;
	if (count && !is_stored_at(part, high)) {
		while (low < high) {
			uint64_t middle = low + (high - low) / 2;
			if (is_stored_at(part, middle))
				low = middle + 1;
			else
				high = middle;
		}
		uint64_t pa = page_of(part, high) << PAGE_SHIFT;
		return dump_lacks(dump, pa,
				  "the dump is incomplete: %s ends before the page of physical "
				  "address 0x%llx",
				  part->file->path, (unsigned long long)pa);
	}
	if (part->header.status & INCOMPLETE)
		return dump_lacks(dump, 0, "makedumpfile marked the dump as incomplete");
	return NULL;
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Parts of one dump have one machine, one time, one memory. */
static bool is_same_dump(const struct part *a, const struct part *b)
{
	return !memcmp(a->header.utsname, b->header.utsname, sizeof(a->header.utsname)) &&
	       !memcmp(a->header.timestamp, b->header.timestamp, sizeof(a->header.timestamp)) &&
	       a->header.bitmap_blocks == b->header.bitmap_blocks &&
	       a->header.nr_cpus == b->header.nr_cpus;
}

static struct error *lacks_part(struct dump *dump, uint64_t start, uint64_t end)
{
	if (start >= end)
		return NULL;
	return dump_lacks(dump, start << PAGE_SHIFT,
			  "the part of the split dump with physical addresses 0x%llx to 0x%llx is "
			  "missing; name all parts",
			  (unsigned long long)start << PAGE_SHIFT,
			  (unsigned long long)(end << PAGE_SHIFT) - 1);
}

/* Sorts the parts, refuses those that do not belong together, and says what is between them. */
static struct error *join_parts(struct dump *dump, struct kdump_dump *kdump)
{
	uint64_t covered = 0;
	struct error *err = NULL;

	qsort(kdump->parts, kdump->nr_parts, sizeof(*kdump->parts), compare_parts);
	for (size_t i = 0; !err && i < kdump->nr_parts; i++) {
		const struct part *part = &kdump->parts[i];
		if (!is_same_dump(part, &kdump->parts[0]))
			return error_create(ERROR_OTHER, "%s is a part of another dump",
					    part->file->path);
		if (part->start < covered)
			return error_create(ERROR_OTHER, "%s and %s have the same pages",
					    part[-1].file->path, part->file->path);
		if (part->nr_pages > kdump->nr_pages)
			kdump->nr_pages = part->nr_pages;
		err = lacks_part(dump, covered, part->start);
		covered = part->end;
	}
	return err ? err : lacks_part(dump, covered, kdump->nr_pages);
}

static struct error *kdump_init(struct dump *dump)
{
	struct kdump_dump *kdump = calloc(1, sizeof(*kdump));
	struct error *err = NULL;

	dump->format_data = kdump;
	if (!kdump)
		return &error_no_memory;
	if (dump->nr_files > MAX_PARTS)
		return error_create(ERROR_OTHER, "over %u parts", MAX_PARTS);
	kdump->parts = calloc(dump->nr_files, sizeof(*kdump->parts));
	if (!kdump->parts)
		return &error_no_memory;
	for (size_t i = 0; !err && i < dump->nr_files; i++) {
		bool split = true;
		err = init_part(dump, &dump->files[i], &kdump->parts[kdump->nr_parts++], &split);
		if (!err && !split && dump->nr_files > 1)
			err = error_create(ERROR_OTHER, "a whole dump, and no part of a split one");
		if (i)
			err = error_prefix(err, "%s", dump->files[i].path);
	}
	if (!err && dump->machine == EM_NONE)
		err = guess_machine(dump);
	if (!err)
		err = join_parts(dump, kdump);
	for (size_t i = 0; !err && i < kdump->nr_parts; i++)
		if (kdump->parts[i].nr_pages)
			err = check_end(dump, &kdump->parts[i]);
	return err;
}

static void kdump_deinit(struct dump *dump)
{
	struct kdump_dump *kdump = dump->format_data;

	if (!kdump)
		return;
	for (size_t i = 0; i < kdump->nr_parts; i++) {
		page_bitmap_deinit(&kdump->parts[i].present);
		page_bitmap_deinit(&kdump->parts[i].dumped);
		free(kdump->parts[i].cache);
	}
	free(kdump->parts);
	ZSTD_freeDCtx(kdump->zstd);
	free(kdump);
}

/* The bitmap's errors speak of its first page that is not there. */
static struct error *at_page(struct error *err, uint64_t pa)
{
	if (err->class == ERROR_MISSING)
		err->address = pa;
	return err;
}

static struct error *missing(uint64_t pfn)
{
	uint64_t pa = pfn << PAGE_SHIFT;

	return error_fault(ERROR_MISSING, pa,
			   "the dump ended before physical page 0x%llx was written",
			   (unsigned long long)pa);
}

/* Why the page is not in the file: the machine has no such page, or makedumpfile left it out. */
static struct error *absent(struct dump *dump, struct part *part, uint64_t pfn)
{
	uint64_t pa = pfn << PAGE_SHIFT;
	bool present;

	struct error *err = page_bitmap_test(&part->present, pfn, &present);
	if (err)
		return at_page(err, pa);
	if (present)
		return error_fault(ERROR_EXCLUDED, pa,
				   "physical page 0x%llx was excluded from the dump",
				   (unsigned long long)pa);
	/* The bitmaps may have been written as far as the pages were, and no further. */
	if (!dump->complete && pfn < part->nr_pages && pfn >= page_bitmap_end(&part->present))
		return missing(pfn);
	return error_fault(ERROR_UNMAPPED, pa, "no memory at physical address 0x%llx",
			   (unsigned long long)pa);
}

/* The part that has page @pfn, or if none has it any that has bitmaps, or NULL. */
static struct part *find_part(const struct kdump_dump *kdump, uint64_t pfn, bool *found)
{
	struct part *ret = NULL;

	*found = false;
	for (size_t i = 0; !*found && i < kdump->nr_parts; i++) {
		struct part *part = &kdump->parts[i];
		*found = pfn >= part->start && pfn < part->end;
		if (*found || (part->nr_pages && !ret))
			ret = part;
	}
	return ret;
}

static struct error *kdump_read_page(struct dump *dump, uint64_t pfn, void *page)
{
	struct kdump_dump *kdump = dump->format_data;
	uint64_t pa = pfn << PAGE_SHIFT;
	struct page_desc desc;
	char in[MAX_COMPRESSED];
	bool dumped, found;

	struct part *part = find_part(kdump, pfn, &found);
	if (!part)
		return missing(pfn);
	struct error *err = page_bitmap_test(&part->dumped, pfn, &dumped);
	if (err)
		return at_page(err, pa);
	if (!dumped)
		return absent(dump, part, pfn);
	if (!found)
		return error_fault(ERROR_MISSING, pa,
				   "physical page 0x%llx is in a part of the split dump that is "
				   "missing",
				   (unsigned long long)pa);
	err = find_desc(part, pfn, &desc);
	if (err)
		return at_page(err, pa);
	/* A dump that ran into a full disk has descriptors that were never filled in. */
	if (!desc.offset)
		return missing(pfn);
	if (!desc.size || desc.size > sizeof(in))
		return error_fault(ERROR_CORRUPT, pa,
				   "physical page 0x%llx has %u bytes in the file",
				   (unsigned long long)pa, desc.size);
	err = dump_file_read(part->file, desc.offset, in, desc.size, pa);
	if (err)
		return err;
	if (!decompress_page(&kdump->zstd, desc.flags, in, desc.size, page))
		return error_fault(ERROR_CORRUPT, pa, "physical page 0x%llx does not decompress",
				   (unsigned long long)pa);
	return NULL;
}

static bool kdump_next_page(struct dump *dump, uint64_t *pfn)
{
	struct kdump_dump *kdump = dump->format_data;
	bool found;
	struct part *part = find_part(kdump, *pfn, &found);

	return part && page_bitmap_next(&part->dumped, pfn);
}

const struct dump_format dump_format_kdump = {
	.name = "kdump-compressed",
	.probe = kdump_probe,
	.init = kdump_init,
	.deinit = kdump_deinit,
	.read_page = kdump_read_page,
	.next_page = kdump_next_page,
};
