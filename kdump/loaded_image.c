// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/loaded_image.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dump/dump.h"
#include "kdump/rooted.h"

/* More than any initramfs of ours: what a damaged state file says is not read for minutes. */
#define MOST ((off_t)512 << 20)

static void close_dump(struct dump **dump)
{
	dump_close(*dump);
}

static struct error *open_memory(const char *root, struct dump **ret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" DUMP_LIVE, root);
	return dump_open(path, ret);
}

/* Whether all of the file is in memory from @address on. */
static bool is_at(struct dump *dump, uint64_t address, int fd)
{
	char wanted[PAGE_SIZE], found[PAGE_SIZE];
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, wanted, sizeof(wanted), at)) > 0; at += n) {
		struct error *err = dump_read(dump, address + at, found, n);
		if (err || memcmp(wanted, found, n)) {
			error_destroy(err);
			return false;
		}
	}
	return n == 0;
}

static struct error *find_in(struct dump *dump, uint64_t start, uint64_t end, int fd, uint64_t *ret)
{
	char first[PAGE_SIZE], page[PAGE_SIZE];
	ssize_t size = pread(fd, first, sizeof(first), 0);

	if (size <= 0)
		return error_errno("initramfs");
	/* kexec fills it from the top. */
	for (uint64_t at = end / PAGE_SIZE * PAGE_SIZE; at > start;) {
		at -= PAGE_SIZE;
		struct error *err = dump_read(dump, at, page, sizeof(page));
		if (err)
			return err;
		if (!memcmp(page, first, size) && is_at(dump, at, fd)) {
			*ret = at;
			return NULL;
		}
	}
	return error_create(ERROR_NOT_FOUND, "it is not in the crash kernel's memory");
}

struct error *loaded_image_find(const char *root, int fd, uint64_t *ret)
{
	_cleanup_(close_dump) struct dump *dump = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	struct error *err = open_memory(root, &dump);

	if (err) {
		dump = NULL;
		return err;
	}
	file = rooted_open(root, "/proc/iomem");
	if (!file)
		return error_errno("/proc/iomem");
	err = error_create(ERROR_NOT_FOUND, "no crash kernel in /proc/iomem");
	/* With crashkernel=,high there are two ranges. */
	while (err && err->class == ERROR_NOT_FOUND && getline(&line, &capacity, file) > 0) {
		uint64_t start, end; /* the last byte */
		if (!strstr(line, " : Crash kernel") ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || end <= start)
			continue;
		error_destroy(err);
		err = find_in(dump, start, end + 1, fd, ret);
	}
	return err;
}

static struct error *copy(struct dump *dump, uint64_t address, off_t size, int fd)
{
	char page[PAGE_SIZE];

	for (off_t at = 0; at < size; at += PAGE_SIZE) {
		size_t n = size - at < (off_t)PAGE_SIZE ? (size_t)(size - at) : PAGE_SIZE;
		struct error *err = dump_read(dump, address + at, page, n);
		if (err)
			return err;
		if (write(fd, page, n) != (ssize_t)n)
			return error_errno("memfd");
	}
	lseek(fd, 0, SEEK_SET);
	return NULL;
}

struct error *loaded_image_digest(const char *root, uint64_t address, off_t size,
				  char ret[static SHA256_HEX_SIZE])
{
	_cleanup_(close_dump) struct dump *dump = NULL;
	_cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0)
		return error_errno("memfd");
	if (size > MOST)
		return error_create(ERROR_OTHER, "an initramfs of %lld MB", (long long)size >> 20);
	struct error *err = open_memory(root, &dump);
	if (err) {
		dump = NULL;
		return err;
	}
	err = copy(dump, address, size, fd);
	return err ? err : sha256_of(fd, "image", ret);
}
