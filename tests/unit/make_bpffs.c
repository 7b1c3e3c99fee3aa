// SPDX-License-Identifier: GPL-2.0-only
#include "make_bpffs.h"

#include "test.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

void make_bpffs_folder(char ret[BPFFS_PATH_SIZE])
{
	strcpy(ret, "/tmp/lockdump-test.XXXXXX");
	assert_non_null(mkdtemp(ret));
	if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL)) {
		int code = errno;
		rmdir(ret);
		SKIP("no mount can be made here: %s", strerror(code));
	}
}

void make_bpffs(char ret[BPFFS_PATH_SIZE])
{
	make_bpffs_folder(ret);
	if (mount("bpf", ret, "bpf", 0, "mode=700")) {
		int code = errno;
		rmdir(ret);
		SKIP("no BPF file system can be mounted here: %s", strerror(code));
	}
}

int make_bpf_map(unsigned int size, unsigned int count)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = size,
		.max_entries = count,
		.map_flags = BPF_F_MMAPABLE,
	};
	/* libbpf would load a program before, to find out what the kernel knows. */
	int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		SKIP("no BPF map can be made here: %s", strerror(errno));
	return fd;
}

void remove_bpffs(const char *path)
{
	umount(path);
	rmdir(path);
}
