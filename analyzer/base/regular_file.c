// SPDX-License-Identifier: GPL-2.0-only
#include "base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct error *regular_file_open(const char *path, int *fd_ret, uint64_t *size_ret)
{
	struct stat st;

	*fd_ret = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd_ret < 0)
		return error_errno("%s", path);
	struct error *err = fstat(*fd_ret, &st) ? error_errno("%s", path) : NULL;
	if (!err && !S_ISREG(st.st_mode))
		err = error_create(ERROR_OTHER, "%s: not a regular file", path);
	if (!err) {
		*size_ret = st.st_size;
		return NULL;
	}
	close(*fd_ret);
	*fd_ret = -1;
	return err;
}
