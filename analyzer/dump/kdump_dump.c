// SPDX-License-Identifier: GPL-2.0-only
/*
 * kdump-compressed vmcores, makedumpfile's own format (diskdump_mod.h and
 * IMPLEMENTATION of makedumpfile 1.7):
 *
 *	block 0			struct disk_dump_header
 *	block 1			struct kdump_sub_header: where notes and vmcoreinfo are
 *	block 1 + sub_hdr_size	bitmap of the pages that the machine has,
 *				then one as long of those that are in the file
 *	then			a struct page_desc for each page in the file, in order
 *	then			the pages, each compressed by itself
 *
 * A page's descriptor is the n-th where n counts the bits below its own in the
 * second bitmap; the counts are summed up once for each 4096 bits.
 */
#include <elf.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "dump/format.h"

#define SIGNATURE "KDUMP   "

/* Bits of disk_dump_header.status and, but for INCOMPLETE, of page_desc.flags. */
#define COMPRESSED_ZLIB	  0x1
#define COMPRESSED_LZO	  0x2
#define COMPRESSED_SNAPPY 0x4
#define INCOMPLETE	  0x8
#define COMPRESSED_ZSTD	  0x20

/* 16 TB of 4 KB pages: a bitmap of 512 MB. */
#define MAX_PAGES ((uint64_t)1 << 32)

/* lzo1x can grow what it cannot compress: lzo's documentation, LZO.FAQ. */
#define MAX_COMPRESSED (PAGE_SIZE + PAGE_SIZE / 16 + 64 + 3)

#define LAST_DESCS 64

#define GROUP_BITS  4096
#define GROUP_BYTES (GROUP_BITS / 8)
#define GROUP_WORDS (GROUP_BITS / 64)

struct disk_dump_header {
	char signature[8];
	int32_t version;
	char utsname[6][65]; /* sysname, nodename, release, version, machine, domainname */
	char pad[6];
	uint64_t timestamp[2];
	uint32_t status;
	int32_t block_size;
	int32_t sub_hdr_size; /* blocks */
	uint32_t bitmap_blocks; /* both bitmaps */
	uint32_t max_mapnr;
	uint32_t total_ram_blocks;
	uint32_t device_blocks;
	uint32_t written_blocks;
	uint32_t current_cpu;
	int32_t nr_cpus;
};

struct kdump_sub_header {
	uint64_t phys_base;
	int32_t dump_level;
	int32_t split;
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t offset_vmcoreinfo;
	uint64_t size_vmcoreinfo;
	uint64_t offset_note; /* from version 4 on */
	uint64_t size_note;
	uint64_t offset_eraseinfo;
	uint64_t size_eraseinfo;
	uint64_t start_pfn_64;
	uint64_t end_pfn_64;
	uint64_t max_mapnr_64; /* from version 6 on */
};

struct page_desc {
	uint64_t offset;
	uint32_t size;
	uint32_t flags;
	uint64_t page_flags;
};

_Static_assert(sizeof(struct disk_dump_header) == 464, "makedumpfile's layout");
_Static_assert(sizeof(struct kdump_sub_header) == 104, "makedumpfile's layout");
_Static_assert(sizeof(struct page_desc) == 24, "makedumpfile's layout");

struct kdump_dump {
	uint64_t nr_pages; /* bits of a bitmap that count */
	uint64_t present_offset; /* of the first bitmap */
	uint64_t descs_offset;
	uint64_t *dumped; /* the second bitmap, whole groups */
	uint64_t *ranks; /* bits before each group */
	ZSTD_DCtx *zstd;
};

static bool kdump_probe(const void *head, size_t size)
{
	return size >= strlen(SIGNATURE) && !memcmp(head, SIGNATURE, strlen(SIGNATURE));
}

static struct error *check_header(struct dump *dump, const struct disk_dump_header *header)
{
	if (header->block_size != PAGE_SIZE)
		return error_create(ERROR_OTHER,
				    "a dump with pages of %d bytes; only 4096 can be read",
				    header->block_size);
	if (header->sub_hdr_size < 1 || header->sub_hdr_size > 1 << 20)
		return error_fault(ERROR_CORRUPT, 0, "sub-header of %d blocks",
				   header->sub_hdr_size);
	const char *machine = header->utsname[4];
	if (!strncmp(machine, "x86_64", sizeof(header->utsname[4])))
		dump->machine = EM_X86_64;
	else if (!strncmp(machine, "aarch64", sizeof(header->utsname[4])))
		dump->machine = EM_AARCH64;
	else
		return error_create(ERROR_OTHER,
				    "a vmcore of a '%.*s' machine; only x86_64 can be read",
				    (int)sizeof(header->utsname[4]), machine);
	dump->complete = !(header->status & INCOMPLETE);
	return NULL;
}

/* Version 6 has the number of pages in 64 bits; before, a machine has less than 16 TB. */
static struct error *read_sub_header(struct dump *dump, const struct disk_dump_header *header,
				     uint64_t *nr_pages_ret)
{
	struct kdump_sub_header sub;
	struct error *err = dump_file_read(dump, header->block_size, &sub, sizeof(sub), 0);

	if (err)
		return error_prefix(err, "sub-header");
	if (sub.split)
		return error_create(ERROR_OTHER, "one file of a split dump; put it together with "
						 "'makedumpfile --reassemble' first");
	*nr_pages_ret = header->version >= 6 ? sub.max_mapnr_64 : header->max_mapnr;
	if (header->version >= 4 && sub.size_note) {
		err = dump_set_notes(dump, sub.offset_note, sub.size_note);
		if (err)
			return err;
	}
	return NULL;
}

static uint64_t count_bits(const uint64_t *words, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += __builtin_popcountll(words[i]);
	return sum;
}

/*
 * makedumpfile sets INCOMPLETE when it notices; a file that was cut off later says nothing. Pages lie in the
 * order of their descriptors, but for those of zeros, which share one: some of the last will be others.
 */
static void check_end(struct dump *dump, uint64_t descs_end, uint64_t count)
{
	struct page_desc last[LAST_DESCS];
	size_t n = count < LAST_DESCS ? count : LAST_DESCS;
	struct error *err =
		dump_file_read(dump, descs_end - n * sizeof(*last), last, n * sizeof(*last), 0);

	if (err)
		dump->complete = false;
	for (size_t i = 0; !err && i < n; i++)
		if (!last[i].offset || last[i].offset > dump->size ||
		    last[i].size > dump->size - last[i].offset)
			dump->complete = false;
	error_destroy(err);
}

static struct error *read_bitmap(struct dump *dump, struct kdump_dump *kdump, uint64_t offset)
{
	size_t groups = (kdump->nr_pages + GROUP_BITS - 1) / GROUP_BITS;
	size_t bytes = (kdump->nr_pages + 7) / 8;

	if (offset > dump->size || bytes > dump->size - offset)
		return error_fault(ERROR_MISSING, 0, "the file ends in its page bitmap");
	kdump->dumped = calloc(groups, GROUP_BYTES);
	kdump->ranks = malloc(groups * sizeof(*kdump->ranks));
	if (!kdump->dumped || !kdump->ranks)
		return &error_no_memory;
	struct error *err = dump_file_read(dump, offset, kdump->dumped, bytes, 0);
	if (err)
		return error_prefix(err, "page bitmap");

	uint64_t rank = 0;
	for (size_t group = 0; group < groups; group++) {
		kdump->ranks[group] = rank;
		rank += count_bits(kdump->dumped + group * GROUP_WORDS, GROUP_WORDS);
	}
	check_end(dump, kdump->descs_offset + rank * sizeof(struct page_desc), rank);
	return NULL;
}

static struct error *kdump_init(struct dump *dump)
{
	struct disk_dump_header header;
	struct kdump_dump *kdump = calloc(1, sizeof(*kdump));

	dump->format_data = kdump;
	if (!kdump)
		return &error_no_memory;
	struct error *err = dump_file_read(dump, 0, &header, sizeof(header), 0);
	if (!err)
		err = check_header(dump, &header);
	if (!err)
		err = read_sub_header(dump, &header, &kdump->nr_pages);
	if (err)
		return err;

	/* Each bitmap fills half of the blocks. */
	uint64_t bitmap_bytes = (uint64_t)header.bitmap_blocks * PAGE_SIZE / 2;
	if (!kdump->nr_pages || kdump->nr_pages > MAX_PAGES || kdump->nr_pages > bitmap_bytes * 8)
		return error_fault(ERROR_CORRUPT, 0, "%llu pages in bitmaps of %llu bytes",
				   (unsigned long long)kdump->nr_pages,
				   (unsigned long long)bitmap_bytes);
	kdump->present_offset = (1 + (uint64_t)header.sub_hdr_size) * PAGE_SIZE;
	kdump->descs_offset = kdump->present_offset + 2 * bitmap_bytes;
	return read_bitmap(dump, kdump, kdump->present_offset + bitmap_bytes);
}

static void kdump_deinit(struct dump *dump)
{
	struct kdump_dump *kdump = dump->format_data;

	if (!kdump)
		return;
	ZSTD_freeDCtx(kdump->zstd);
	free(kdump->dumped);
	free(kdump->ranks);
	free(kdump);
}

/* Why the page is not in the file: the machine has no such page, or makedumpfile left it out. */
static struct error *absent(struct dump *dump, const struct kdump_dump *kdump, uint64_t pfn)
{
	uint64_t pa = pfn << PAGE_SHIFT;
	uint8_t present = 0;

	if (pfn < kdump->nr_pages) {
		struct error *err =
			dump_file_read(dump, kdump->present_offset + pfn / 8, &present, 1, pa);
		if (err)
			return err;
	}
	if (present & 1 << pfn % 8)
		return error_fault(ERROR_EXCLUDED, pa,
				   "physical page 0x%llx was excluded from the dump",
				   (unsigned long long)pa);
	return error_fault(ERROR_UNMAPPED, pa, "no memory at physical address 0x%llx",
			   (unsigned long long)pa);
}

/* Decompresses into exactly a page. */
static bool decompress(struct kdump_dump *kdump, uint32_t flags, const void *in, size_t size,
		       void *page)
{
	switch (flags & (COMPRESSED_ZLIB | COMPRESSED_LZO | COMPRESSED_SNAPPY | COMPRESSED_ZSTD)) {
	case 0:
		if (size == PAGE_SIZE)
			memcpy(page, in, PAGE_SIZE);
		return size == PAGE_SIZE;
	case COMPRESSED_ZLIB: {
		uLongf out = PAGE_SIZE;
		return uncompress(page, &out, in, size) == Z_OK && out == PAGE_SIZE;
	}
	case COMPRESSED_LZO: {
		lzo_uint out = PAGE_SIZE;
		return lzo1x_decompress_safe(in, size, page, &out, NULL) == LZO_E_OK &&
		       out == PAGE_SIZE;
	}
	case COMPRESSED_SNAPPY: {
		size_t out;
		/* snappy trusts the length it finds: ask for it first. */
		return snappy_uncompressed_length(in, size, &out) == SNAPPY_OK &&
		       out == PAGE_SIZE && snappy_uncompress(in, size, page, &out) == SNAPPY_OK;
	}
	case COMPRESSED_ZSTD:
		if (!kdump->zstd)
			kdump->zstd = ZSTD_createDCtx();
		return kdump->zstd &&
		       ZSTD_decompressDCtx(kdump->zstd, page, PAGE_SIZE, in, size) == PAGE_SIZE;
	default:
		return false;
	}
}

static struct error *kdump_read_page(struct dump *dump, uint64_t pfn, void *page)
{
	struct kdump_dump *kdump = dump->format_data;
	uint64_t pa = pfn << PAGE_SHIFT;
	struct page_desc desc;
	char in[MAX_COMPRESSED];

	if (pfn >= kdump->nr_pages || !(kdump->dumped[pfn / 64] & 1ull << pfn % 64))
		return absent(dump, kdump, pfn);

	uint64_t group = pfn / GROUP_BITS, word = pfn / 64;
	uint64_t rank = kdump->ranks[group];
	rank += count_bits(kdump->dumped + group * GROUP_WORDS, word - group * GROUP_WORDS);
	rank += __builtin_popcountll(kdump->dumped[word] & ((1ull << pfn % 64) - 1));

	struct error *err = dump_file_read(dump, kdump->descs_offset + rank * sizeof(desc), &desc,
					   sizeof(desc), pa);
	if (err)
		return err;
	/* A dump that ran into a full disk has descriptors that were never filled in. */
	if (!desc.offset)
		return error_fault(ERROR_MISSING, pa,
				   "the dump ended before physical page 0x%llx was written",
				   (unsigned long long)pa);
	if (!desc.size || desc.size > sizeof(in))
		return error_fault(ERROR_CORRUPT, pa,
				   "physical page 0x%llx has %u bytes in the file",
				   (unsigned long long)pa, desc.size);
	err = dump_file_read(dump, desc.offset, in, desc.size, pa);
	if (err)
		return err;
	if (!decompress(kdump, desc.flags, in, desc.size, page))
		return error_fault(ERROR_CORRUPT, pa, "physical page 0x%llx does not decompress",
				   (unsigned long long)pa);
	return NULL;
}

const struct dump_format dump_format_kdump = {
	.name = "kdump-compressed",
	.probe = kdump_probe,
	.init = kdump_init,
	.deinit = kdump_deinit,
	.read_page = kdump_read_page,
};
