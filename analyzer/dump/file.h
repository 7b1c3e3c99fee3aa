/* SPDX-License-Identifier: GPL-2.0-only */
/* A dump's file. One that is flattened is read in place, as the file that it stands for. */
#ifndef LOCKDUMP_FILE_H
#define LOCKDUMP_FILE_H

#include "dump/extents.h"

struct dump_file {
	const char *path;
	int fd;
	uint64_t size; /* bytes that it has, or would have if it were rearranged */
	bool flattened;
	bool cut_off; /* flattened, and the end is missing */
	/* Where its last block breaks off, if the end of that is missing; else UINT64_MAX. */
	uint64_t cut_at;
	/* Flattened: from offsets in what it stands for to those in the file. */
	struct extents blocks;
};

/* @path must live as long as the file. */
struct error *dump_file_open(const char *path, struct dump_file *ret);
void dump_file_close(struct dump_file *file);

/* Reads @size bytes at @offset. ERROR_MISSING, with @pa as its address, if the file ends before. */
struct error *dump_file_read(const struct dump_file *file, uint64_t offset, void *buf, size_t size,
			     uint64_t pa);

/* For dump_file_open(): finds the blocks of a flattened file. Not one: file->flattened stays false. */
struct error *flattened_open(struct dump_file *file);

/* For both: the bytes that are in the file at @offset, up to @size; 0 at its end. */
struct error *dump_file_read_raw(const struct dump_file *file, uint64_t offset, void *buf,
				 size_t size, size_t *ret);

#endif
