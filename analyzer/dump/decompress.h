/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a kdump-compressed dump, each compressed by itself. */
#ifndef LOCKDUMP_DECOMPRESS_H
#define LOCKDUMP_DECOMPRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <zstd.h>

#include "dump/dump.h"

/* Bits of disk_dump_header.status and of page_desc.flags: diskdump_mod.h of makedumpfile 1.7. */
#define COMPRESSED_ZLIB	  0x1
#define COMPRESSED_LZO	  0x2
#define COMPRESSED_SNAPPY 0x4
#define COMPRESSED_ZSTD	  0x20

/* lzo1x can grow what it cannot compress: lzo's documentation, LZO.FAQ. */
#define MAX_COMPRESSED (PAGE_SIZE + PAGE_SIZE / 16 + 64 + 3)

/*
 * Decompresses @in into exactly a page; false if it does not do so. *@zstd is
 * NULL at first, and freed by the caller with ZSTD_freeDCtx() at last.
 */
bool decompress_page(ZSTD_DCtx **zstd, uint32_t flags, const void *in, size_t size, void *page);

#endif
