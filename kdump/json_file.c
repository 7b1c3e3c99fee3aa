// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"

#define MAX_SIZE       (1 << 20)
#define MAX_NEST       32
/* Each costs half a kilobyte, empty or not. */
#define MAX_CONTAINERS 16384

/* Whether it is worth json-c's while, which bounds the depth alone. */
static bool is_bounded(const char *text, size_t size)
{
	size_t containers = 0;

	for (size_t i = 0; i < size; i++)
		containers += text[i] == '{' || text[i] == '[';
	return containers <= MAX_CONTAINERS;
}

/* The value that @text is, with blanks around it; NULL: it is none, or more than that. */
static struct json_object *parse(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_NEST);

	if (!tokener || !is_bounded(text, size)) {
		json_tokener_free(tokener);
		return NULL;
	}
	struct json_object *json = json_tokener_parse_ex(tokener, text, size);
	size_t end = json_tokener_get_parse_end(tokener);
	/* A number does not end before something else begins. */
	if (!json && json_tokener_get_error(tokener) == json_tokener_continue) {
		json = json_tokener_parse_ex(tokener, " ", 1);
		end = size;
	}
	while (end < size && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (end < size) {
		json_object_put(json);
		json = NULL;
	}
	json_tokener_free(tokener);
	return json;
}

/* A regular file's first bytes, as many as fit into @size; below 0, with errno. */
static ssize_t read_start(int dirfd, const char *name, char *buffer, size_t size)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n, have = 0;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	while ((n = read(fd, buffer + have, size - have)) > 0)
		have += n;
	return n < 0 ? -1 : have;
}

struct json_object *json_file_read(int dirfd, const char *name)
{
	_cleanup_free_ char *text = malloc(MAX_SIZE + 1);
	ssize_t size = text ? read_start(dirfd, name, text, MAX_SIZE + 1) : -1;

	if (size < 0)
		return NULL;
	struct json_object *json = size <= MAX_SIZE ? parse(text, size) : NULL;
	if (!json)
		errno = size <= MAX_SIZE ? EINVAL : EFBIG;
	return json;
}

/* Behind the blanks at @at. */
static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

/* Behind the string that begins at @at; @end if it does not end. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : end;
}

/* Behind the value at @at, whatever it is: at the comma or bracket that follows, or at @end. */
static const char *skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (!depth && (*at == ',' || *at == '}' || *at == ']'))
			return at;
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		at++;
	}
	return end;
}

static bool is_key(const char *at, const char *end, const char *key)
{
	size_t length = strlen(key);

	return (size_t)(end - at) == length + 2 && !memcmp(at + 1, key, length);
}

/* The members @keys of the object whose text begins at @at and may be cut off at @end; NULL: it is none. */
static struct json_object *find_members(const char *at, const char *end, const char *const *keys)
{
	size_t wanted = 0;

	at = skip_blanks(at, end);
	if (at == end || *at != '{')
		return NULL;
	while (keys[wanted])
		wanted++;
	struct json_object *found = json_object_new_object();
	while (wanted && (at = skip_blanks(at + 1, end)) < end && *at == '"') {
		const char *key = at, *key_end = skip_string(at, end);
		at = skip_blanks(key_end, end);
		if (at == end || *at != ':')
			break;
		const char *value = at + 1;
		at = skip_value(value, end);
		if (at == end)
			break;
		for (const char *const *name = keys; *name; name++) {
			if (!is_key(key, key_end, *name))
				continue;
			json_object_object_add(found, *name, parse(value, at - value));
			wanted--;
		}
	}
	return found;
}

struct json_object *json_file_head(int dirfd, const char *name, const char *const *keys)
{
	_cleanup_free_ char *text = malloc(MAX_SIZE);
	ssize_t size = text ? read_start(dirfd, name, text, MAX_SIZE) : -1;

	if (size < 0)
		return NULL;
	struct json_object *json = find_members(text, text + size, keys);
	if (!json)
		errno = EINVAL;
	return json;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_is_type(object, json_type_object) &&
			       json_object_object_get_ex(object, name, &value)
		       ? value
		       : NULL;
}

void json_copy_text(struct json_object *object, const char *name, char *ret, size_t size)
{
	struct json_object *value = json_member(object, name);
	bool is_text = json_object_is_type(value, json_type_string);

	snprintf(ret, size, "%s", is_text ? json_object_get_string(value) : "");
	clean_text(ret);
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_double);
}

int64_t json_get_number(struct json_object *object, const char *name)
{
	struct json_object *value = json_member(object, name);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
}

double json_get_double(struct json_object *object, const char *name)
{
	struct json_object *value = json_member(object, name);
	double number = is_number(value) ? json_object_get_double(value) : 0;

	return isfinite(number) ? number : 0;
}

bool json_get_bool(struct json_object *object, const char *name)
{
	struct json_object *value = json_member(object, name);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

void json_putp(struct json_object **object)
{
	json_object_put(*object);
}
