// SPDX-License-Identifier: GPL-2.0-only
#include "capture/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
/* enum fid_type in include/linux/exportfs.h; a cgroup's file handle is its id. */
#define FILEID_KERNFS 0xfe

void cgroup_path(uint64_t id, char *path, size_t size)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(id)];
	} u = { .handle = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	_cleanup_close_ int root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char link[64], target[4096];

	*path = '\0';
	memcpy(u.handle.f_handle, &id, sizeof(id));
	if (root < 0)
		return;
	_cleanup_close_ int fd = open_by_handle_at(root, &u.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, target, sizeof(target) - 1);
	if (len < (ssize_t)strlen(CGROUP_ROOT))
		return;
	target[len] = '\0';
	const char *tail = target + strlen(CGROUP_ROOT);
	snprintf(path, size, "%s", *tail ? tail : "/");
}
