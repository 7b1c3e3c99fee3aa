// SPDX-License-Identifier: GPL-2.0-only
#include "state/record_pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "state/stall.h"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static struct error *open_map(const char *path, int *ret)
{
	/* Not to be read only: such a descriptor cannot be mapped (VM_SHARED in bpf_map_mmap(), kernel/bpf/syscall.c). */
	*ret = bpf_obj_get(path);
	if (*ret >= 0)
		return NULL;
	if (errno == EACCES || errno == EPERM)
		return error_errno("%s: only root reads the record of the machine as it runs",
				   path);
	if (errno != ENOENT)
		return error_errno("%s", path);
	if (!is_bpffs(RECORD_PIN_BPFFS))
		return error_create(
			ERROR_NOT_FOUND,
			"%s: no record: there is no BPF file system at " RECORD_PIN_BPFFS, path);
	return error_create(ERROR_NOT_FOUND, "%s: no record: no 'lockdump watch' runs here", path);
}

/* One of another version is copied as it is: that it cannot be read is for record_parse() to say. */
static void copy(const char *map, size_t slot_size, size_t size, char *ret)
{
	const struct record_header *header = (const void *)map;

	if (header->abi != RECORD_ABI || slot_size != RECORD_SLOT_SIZE) {
		memcpy(ret, map, size);
		return;
	}
	memcpy(ret, map, RECORD_SLOT_SIZE);
	for (size_t at = RECORD_SLOT_SIZE; at < size; at += RECORD_SLOT_SIZE)
		stall_copy_slot((const void *)(map + at), (void *)(ret + at));
}

/* The whole of it, mapped; @ret_slot_size is what an element takes. */
static struct error *map_record(const char *path, char **ret, size_t *ret_size,
				size_t *ret_slot_size)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);
	struct error *err = open_map(path, &fd);

	if (err)
		return err;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return error_errno("%s", path);
	*ret_slot_size = info.value_size;
	*ret_size = (size_t)info.value_size * info.max_entries;
	if (info.type != BPF_MAP_TYPE_ARRAY || *ret_size < sizeof(struct record_header) ||
	    *ret_size > RECORD_MAX_SIZE)
		return error_create(ERROR_CORRUPT, "%s: no flight record", path);
	*ret = mmap(NULL, *ret_size, PROT_READ, MAP_SHARED, fd, 0);
	return *ret == MAP_FAILED ? error_errno("%s", path) : NULL;
}

struct error *record_header_from_pin(const char *path, struct record_header *ret)
{
	size_t size, slot_size;
	char *map;
	struct error *err = map_record(path, &map, &size, &slot_size);

	if (err)
		return err;
	memcpy(ret, map, sizeof(*ret));
	munmap(map, size);
	if (memcmp(ret->magic, RECORD_MAGIC, sizeof(ret->magic)) || ret->abi != RECORD_ABI)
		return error_create(ERROR_CORRUPT, "%s: another version's record", path);
	return NULL;
}

struct error *record_from_pin(const char *path, struct record *ret)
{
	size_t size, slot_size;
	char *map;
	struct error *err = map_record(path, &map, &size, &slot_size);

	if (err)
		return err;
	char *data = calloc(1, size);
	if (data)
		copy(map, slot_size, size, data);
	munmap(map, size);
	if (!data)
		return &error_no_memory;
	err = record_parse(data, size, ret);
	if (!err)
		ret->from = RECORD_FROM_FILE;
	return error_prefix(err, "%s", path);
}
