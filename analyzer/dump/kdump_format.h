/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kdump-compressed vmcores, makedumpfile's own format (diskdump_mod.h and
 * IMPLEMENTATION of makedumpfile 1.7), and QEMU's (dump/dump.c of QEMU 7):
 *
 *	block 0			struct disk_dump_header
 *	block 1			struct kdump_sub_header: where notes and vmcoreinfo are
 *	block 1 + sub_hdr_size	bitmap of the pages that the machine has,
 *				then one as long of those that are in the file
 *	then			a struct page_desc for each page in the file, in order
 *	then			the pages, each compressed by itself
 *
 * A page's descriptor is the n-th where n counts the bits below its own in
 * the second bitmap. A part of a split dump (makedumpfile --split) has both
 * bitmaps whole, and the descriptors of its own pages only.
 */
#ifndef LOCKDUMP_KDUMP_FORMAT_H
#define LOCKDUMP_KDUMP_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define KDUMP_SIGNATURE "KDUMP   "

/* 16 TB of 4 KB pages: a bitmap of 512 MB. */
#define KDUMP_MAX_PAGES ((uint64_t)1 << 32)

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
	int32_t split; /* from version 2 on */
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t offset_vmcoreinfo; /* from version 3 on */
	uint64_t size_vmcoreinfo;
	uint64_t offset_note; /* from version 4 on */
	uint64_t size_note;
	uint64_t offset_eraseinfo;
	uint64_t size_eraseinfo;
	uint64_t start_pfn_64; /* from version 6 on */
	uint64_t end_pfn_64;
	uint64_t max_mapnr_64;
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

#endif
