// SPDX-License-Identifier: GPL-2.0-only
/* Nothing is rearranged: the headers of the blocks are read once, for an index. */
#include <endian.h>
#include <string.h>

#include "dump/file.h"
#include "dump/flattened.h"

/* makedumpfile writes blocks of up to 4 MB, QEMU of 16 KB: a dump of 64 GB. */
#define MAX_BLOCKS (4u << 20)

/* Headers are read some at a time: small blocks have many in one page. */
struct reader {
	const struct dump_file *file;
	uint64_t at; /* of bytes */
	size_t size;
	char bytes[4096];
};

/* False: the file ends there. */
static struct error *read_header(struct reader *reader, uint64_t at, struct flattened_block *ret,
				 bool *found)
{
	struct error *err = NULL;

	*found = true;
	if (at < reader->at || at - reader->at > reader->size ||
	    reader->size - (at - reader->at) < sizeof(*ret)) {
		reader->at = at;
		err = dump_file_read_raw(reader->file, at, reader->bytes, sizeof(reader->bytes),
					 &reader->size);
		*found = !err && reader->size >= sizeof(*ret);
	}
	if (*found)
		memcpy(ret, reader->bytes + (at - reader->at), sizeof(*ret));
	ret->offset = be64toh(ret->offset);
	ret->size = be64toh(ret->size);
	return err;
}

static struct error *add_block(struct dump_file *file, uint64_t *at,
			       const struct flattened_block *header)
{
	uint64_t end, in_file = file->size - *at;

	if (__builtin_add_overflow(header->offset, header->size, &end) || end > INT64_MAX)
		return error_fault(ERROR_CORRUPT, 0, "a block of 0x%llx bytes for offset 0x%llx",
				   (unsigned long long)header->size,
				   (unsigned long long)header->offset);
	if (file->blocks.list.count >= MAX_BLOCKS)
		return error_create(ERROR_OTHER,
				    "a flattened dump of over %u blocks; rearrange it "
				    "with 'makedumpfile -R vmcore < FILE' first",
				    MAX_BLOCKS);
	/* What there is of the last block of a cut-off file is of use too. */
	if (in_file > header->size)
		in_file = header->size;
	file->cut_off = in_file < header->size;
	if (file->cut_off)
		file->cut_at = header->offset + in_file;
	if (!extents_add(&file->blocks, header->offset, in_file, *at))
		return &error_no_memory;
	*at += in_file;
	return NULL;
}

static struct error *read_blocks(struct dump_file *file)
{
	struct reader reader = { .file = file };
	struct error *err = NULL;
	uint64_t at = FLATTENED_FIRST;

	while (!err && !file->cut_off) {
		struct flattened_block header = {};
		bool found;
		err = read_header(&reader, at, &header, &found);
		if (!err && !found) {
			file->cut_off = true;
		} else if (!err) {
			if (header.offset == FLATTENED_END)
				break;
			at += sizeof(header);
			err = add_block(file, &at, &header);
		}
	}
	return err ? err : extents_finish(&file->blocks);
}

struct error *flattened_open(struct dump_file *file)
{
	struct flattened_header header = {};
	size_t size;
	struct error *err = dump_file_read_raw(file, 0, &header, sizeof(header), &size);

	if (err || size < sizeof(header) ||
	    memcmp(header.signature, FLATTENED_SIGNATURE, sizeof(FLATTENED_SIGNATURE)))
		return err;
	if (be64toh(header.type) != 1 || be64toh(header.version) != 1)
		return error_create(ERROR_OTHER,
				    "a flattened dump of type %llu, version %llu; "
				    "only 1, 1 is known",
				    (unsigned long long)be64toh(header.type),
				    (unsigned long long)be64toh(header.version));
	err = error_prefix(read_blocks(file), "flattened dump");
	if (err)
		return err;
	file->flattened = true;
	file->size = 0;
	if (file->blocks.list.count)
		file->size = file->blocks.list.data[file->blocks.list.count - 1].end;
	return NULL;
}
