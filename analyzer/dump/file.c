// SPDX-License-Identifier: GPL-2.0-only
#include "dump/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump/dump.h"

/* Of the running kernel's memory the remedy depends on why. */
static struct error *cannot_open(const char *path)
{
	int why = errno;
	struct error *err = error_errno("cannot open");

	if (strcmp(path, DUMP_LIVE))
		return err;
	if (why == ENOENT)
		return error_prefix(err,
				    "this kernel does not show its memory (CONFIG_PROC_KCORE)");
	if (why == EACCES)
		return error_prefix(err, "only root may read the kernel's memory");
	return error_prefix(err, "the kernel is locked down (/sys/kernel/security/lockdown), or "
				 "CAP_SYS_RAWIO is missing");
}

struct error *dump_file_open(const char *path, struct dump_file *ret)
{
	struct stat st;

	*ret = (struct dump_file){ .path = path, .cut_at = UINT64_MAX };
	/* O_NONBLOCK: nobody waits for the writer of a FIFO. */
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ret->fd < 0 || fstat(ret->fd, &st))
		return cannot_open(path);
	if (!S_ISREG(st.st_mode))
		return error_create(ERROR_OTHER, "not a regular file");
	ret->size = st.st_size;
	return flattened_open(ret);
}

void dump_file_close(struct dump_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	extents_deinit(&file->blocks);
}

struct error *dump_file_read_raw(const struct dump_file *file, uint64_t offset, void *buf,
				 size_t size, size_t *ret)
{
	for (*ret = 0; *ret < size;) {
		ssize_t n = pread(file->fd, (char *)buf + *ret, size - *ret, offset + *ret);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("cannot read 0x%zx bytes at 0x%llx", size,
					   (unsigned long long)offset);
		if (!n)
			break;
		*ret += n;
	}
	return NULL;
}

static struct error *ends_before(uint64_t offset, uint64_t pa)
{
	return error_fault(ERROR_MISSING, pa,
			   "the file ends before offset 0x%llx (physical address 0x%llx)",
			   (unsigned long long)offset, (unsigned long long)pa);
}

/*
 * Between the blocks are holes: zeros, as in the file that would come out. If the end is missing a hole may be that of a block
 * which has not come, but not in the first page, which makedumpfile's header does not fill. Returns how far from @offset on, up
 * to @next, there is a hole.
 */
static uint64_t hole_size(const struct dump_file *file, const struct extent *next, uint64_t offset)
{
	uint64_t end = next->start;

	if (!file->cut_off)
		return end - offset;
	if (end > PAGE_SIZE)
		end = PAGE_SIZE;
	if (file->blocks.list.data[0].start || file->cut_at < PAGE_SIZE || offset >= end)
		return 0;
	return end - offset;
}

static struct error *read_blocks(const struct dump_file *file, uint64_t offset, char *buf,
				 size_t size, uint64_t pa)
{
	while (size) {
		const struct extent *block = extents_find(&file->blocks, offset);
		struct error *err;
		uint64_t n;
		size_t got;

		if (!block)
			return ends_before(offset + size, pa);
		if (block->start > offset) {
			n = hole_size(file, block, offset);
			if (!n)
				return ends_before(offset + size, pa);
			if (n > size)
				n = size;
			memset(buf, 0, n);
		} else {
			n = block->end - offset < size ? block->end - offset : size;
			err = dump_file_read_raw(file, block->at + (offset - block->start), buf, n,
						 &got);
			if (err)
				return err;
			if (got < n)
				return ends_before(offset + size, pa);
		}
		buf += n;
		offset += n;
		size -= n;
	}
	return NULL;
}

struct error *dump_file_read(const struct dump_file *file, uint64_t offset, void *buf, size_t size,
			     uint64_t pa)
{
	size_t got;

	if (file->flattened)
		return read_blocks(file, offset, buf, size, pa);
	struct error *err = dump_file_read_raw(file, offset, buf, size, &got);
	return err || got == size ? err : ends_before(offset + size, pa);
}
