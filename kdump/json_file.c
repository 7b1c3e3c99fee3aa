// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MAX_SIZE (1 << 20)

static struct json_object *parse(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, text, size) : NULL;

	json_tokener_free(tokener);
	return json;
}

struct json_object *json_file_read(int dirfd, const char *name)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SIZE) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_free_ char *text = malloc(st.st_size + 1);
	ssize_t size = text ? read(fd, text, st.st_size) : -1;
	if (size < 0)
		return NULL;
	struct json_object *json = parse(text, size);
	if (!json)
		errno = EINVAL;
	return json;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return object && json_object_object_get_ex(object, name, &value) ? value : NULL;
}

void json_copy_text(struct json_object *object, const char *name, char *ret, size_t size)
{
	struct json_object *value = json_member(object, name);
	bool is_text = json_object_is_type(value, json_type_string);

	snprintf(ret, size, "%s", is_text ? json_object_get_string(value) : "");
}

int64_t json_get_number(struct json_object *object, const char *name)
{
	return json_object_get_int64(json_member(object, name));
}

double json_get_double(struct json_object *object, const char *name)
{
	return json_object_get_double(json_member(object, name));
}

void json_putp(struct json_object **object)
{
	json_object_put(*object);
}
