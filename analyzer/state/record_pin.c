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

struct error *record_from_pin(const char *path, struct record *ret)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);
	struct error *err = open_map(path, &fd);

	if (err)
		return err;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return error_errno("%s", path);
	size_t size = (size_t)info.value_size * info.max_entries;
	if (info.type != BPF_MAP_TYPE_ARRAY || size < sizeof(struct record_header) ||
	    size > RECORD_MAX_SIZE)
		return error_create(ERROR_CORRUPT, "%s: no flight record", path);
	char *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return error_errno("%s", path);
	char *data = calloc(1, size);
	if (data)
		copy(map, info.value_size, size, data);
	munmap(map, size);
	if (!data)
		return &error_no_memory;
	err = record_parse(data, size, ret);
	if (!err)
		ret->from = RECORD_FROM_FILE;
	return error_prefix(err, "%s", path);
}
