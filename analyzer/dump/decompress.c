// SPDX-License-Identifier: GPL-2.0-only
#include "dump/decompress.h"

#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>

bool decompress_page(ZSTD_DCtx **zstd, uint32_t flags, const void *in, size_t size, void *page)
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
		if (!*zstd)
			*zstd = ZSTD_createDCtx();
		return *zstd && ZSTD_decompressDCtx(*zstd, page, PAGE_SIZE, in, size) == PAGE_SIZE;
	default:
		return false;
	}
}
