// SPDX-License-Identifier: GPL-2.0-only
#include "capture/kernel_drill.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/clock.h"

#define REMEDY "; start 'lockdump watch' with --trigger kernel or auto"

static struct error *check(const char *path, const struct record_header *header)
{
	if (memcmp(header->magic, RECORD_MAGIC, sizeof(header->magic)) || header->abi != RECORD_ABI)
		return error_create(ERROR_CORRUPT, "%s: another version's record", path);
	if (header->armed != RECORD_ARMED)
		return error_create(ERROR_OTHER, "%s: the kernel's trigger is not armed" REMEDY,
				    path);
	return NULL;
}

struct error *kernel_drill_open(const char *path, struct record_header **ret)
{
	_cleanup_close_ int fd = bpf_obj_get(path);

	if (fd < 0)
		return errno == ENOENT
			       ? error_create(ERROR_NOT_FOUND,
					      "%s: there is no record, and so no trigger" REMEDY,
					      path)
			       : error_errno("%s", path);
	void *map = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return error_errno("%s", path);
	struct error *err = check(path, map);
	if (err)
		munmap(map, sizeof(**ret));
	else
		*ret = map;
	return err;
}

void kernel_drill_fire(struct record_header *header, unsigned int limit_s)
{
	uint64_t deadline = now_ns() + limit_s * NS_PER_SEC;

	__atomic_store_n(&header->drill, 1, __ATOMIC_SEQ_CST);
	/* Not asleep: a CPU that idles has no tick. */
	while (now_ns() < deadline)
		;
	__atomic_store_n(&header->drill, 0, __ATOMIC_SEQ_CST);
}

void kernel_drill_close(struct record_header *header)
{
	munmap(header, sizeof(*header));
}
