// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct error *state_folder_open(const char *root, struct incident *ret)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	*ret = (struct incident){ .dirfd = -1, .id = "lockdump" };
	if (asprintf(&path, "%s" STATE_FOLDER, root) < 0) {
		path = NULL;
		return &error_no_memory;
	}
	ret->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->dirfd < 0)
		return errno == ENOENT ? error_create(ERROR_NOT_FOUND, "%s: not there", path)
				       : error_errno("%s", path);
	/* What is in it is believed. */
	if (!fstat(ret->dirfd, &st) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return NULL;
	incident_close(ret);
	return error_create(ERROR_OTHER, "%s: others may write there: not to be trusted; remove it",
			    path);
}

/* Its parents, too: what runs from an initramfs has no /var/lib. */
static void make(const char *root)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s" STATE_FOLDER, root) >= sizeof(path))
		return;
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	mkdir(path, 0700);
}

struct error *state_folder_make(const char *root, struct incident *ret)
{
	make(root);
	return state_folder_open(root, ret);
}

struct error *state_folder_write(const struct incident *folder, const char *name,
				 struct json_object *json)
{
	size_t size;
	const char *text = json_object_to_json_string_length(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	struct error *err = text ? incident_write(folder, name, text, size) : &error_no_memory;

	json_object_put(json);
	return error_prefix(err, STATE_FOLDER);
}

void state_folder_remove(const struct incident *folder, const char *name)
{
	unlinkat(folder->dirfd, name, 0);
	fsync(folder->dirfd);
}
