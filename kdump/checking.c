// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/checking.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/wording.h"

/* FILE or FOLDER/FILE, no part of it a symbolic link; below 0 with errno. */
static int open_file(const struct incident *incident, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
	const char *slash = strchr(name, '/');
	char folder[NAME_MAX + 1];

	if (!slash)
		return openat(incident->dirfd, name, flags | O_NONBLOCK);
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
	_cleanup_close_ int dirfd = openat(incident->dirfd, folder, flags | O_DIRECTORY);
	return dirfd < 0 ? -1 : openat(dirfd, slash + 1, flags | O_NONBLOCK);
}

static bool check_content(const struct manifest_file *file, int fd, char *ret)
{
	char sum[SHA256_HEX_SIZE] = "";
	struct error *err = sha256_of(fd, file->name, sum);

	if (err) {
		snprintf(ret, CHECKING_WORDS, "%s", err->message);
		error_destroy(err);
		return false;
	}
	bool same = !strcasecmp(sum, file->sha256);
	strcpy(ret, same ? "checksum holds" : "its checksum is another");
	return same;
}

bool checking_file(const struct incident *incident, const struct manifest_file *file, bool content,
		   char ret[static CHECKING_WORDS])
{
	_cleanup_close_ int fd = open_file(incident, file->name);
	char size[SIZE_WORDS];
	struct stat st;

	*ret = '\0';
	if (fd < 0 || fstat(fd, &st)) {
		snprintf(ret, CHECKING_WORDS, "%s", errno == ENOENT ? "gone" : strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		strcpy(ret, "not a regular file");
		return false;
	}
	if (st.st_size != file->size) {
		word_size(st.st_size, size);
		snprintf(ret, CHECKING_WORDS, "has %s", size);
		return false;
	}
	return !content || check_content(file, fd, ret);
}
