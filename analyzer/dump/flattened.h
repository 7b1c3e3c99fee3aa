/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flattened dumps, for pipes, which cannot seek (makedumpfile -F, QEMU's
 * dump-guest-memory -z, -l and -s; makedumpfile.h of makedumpfile 1.7). All
 * numbers are 64 bits, big-endian:
 *
 *	"makedumpfile"		16 bytes, filled up with 0
 *	type 1, version 1
 *	...			up to 4096 bytes
 *	offset, size		of a block of the file that this one stands for,
 *	...			and its bytes; and so on, in any order
 *	-1, -1			the end
 */
#ifndef LOCKDUMP_FLATTENED_H
#define LOCKDUMP_FLATTENED_H

#include <stdint.h>

#define FLATTENED_SIGNATURE "makedumpfile"
#define FLATTENED_FIRST	    4096 /* offset of the first block's header */
#define FLATTENED_END	    UINT64_MAX

struct flattened_header {
	char signature[16];
	uint64_t type, version;
};

struct flattened_block {
	uint64_t offset, size;
};

#endif
