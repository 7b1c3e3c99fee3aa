// SPDX-License-Identifier: GPL-2.0-only
#include "make_armed.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "kdump/loaded_image.h"
#include "kdump/state_folder.h"
#include "test.h"

void make_armed(const struct made_root *root, const void *data, size_t size, struct armed *armed)
{
	struct incident folder;

	assert_null(state_folder_make(root->path, &folder));
	assert_null(incident_write(&folder, ARMED_INITRAMFS, data, size));
	int fd = openat(folder.dirfd, ARMED_INITRAMFS, O_RDONLY);
	assert_null(sha256_of(fd, ARMED_INITRAMFS, armed->initramfs_sha256));
	error_destroy(loaded_image_find(root->path, fd, &armed->loaded_at));
	close(fd);
	armed->initramfs_size = size;
	armed->time_s = time(NULL);
	assert_null(armed_write(&folder, armed));
	incident_close(&folder);
}
