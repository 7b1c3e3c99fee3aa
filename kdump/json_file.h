/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading JSON files that lockdump has written, or somebody else: a store may be another machine's. No symbolic link is
 * followed, nothing but a regular file is read, and what it takes of memory and of depth is bounded.
 */
#ifndef LOCKDUMP_JSON_FILE_H
#define LOCKDUMP_JSON_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* The JSON of the small file @name in the folder @dirfd; NULL with errno if there is none (ENOENT, EINVAL, EFBIG, ...). */
struct json_object *json_file_read(int dirfd, const char *name);

/*
 * An object with those of the members @keys, which ends with NULL, that stand in the first megabyte of the file @name: for
 * files of any size, whose first members are small. NULL with errno if there is no such file, or it is no object.
 */
struct json_object *json_file_head(int dirfd, const char *name, const char *const *keys);

/* Member @name of @object, of any type; NULL if there is none. NULL, and what is no object, has no members. */
struct json_object *json_member(struct json_object *object, const char *name);

/* The same as text, cut to @size, with a '?' for each control character; "" if it is none. */
void json_copy_text(struct json_object *object, const char *name, char *ret, size_t size);

/* The same as a number; 0 if it is none. */
int64_t json_get_number(struct json_object *object, const char *name);
double json_get_double(struct json_object *object, const char *name);

/* The same; false if it is no boolean. */
bool json_get_bool(struct json_object *object, const char *name);

void json_putp(struct json_object **object);

#endif
