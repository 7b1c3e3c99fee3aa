/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the small JSON files that lockdump has written: manifests, and what arm and test note. */
#ifndef LOCKDUMP_JSON_FILE_H
#define LOCKDUMP_JSON_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* The JSON of the regular file @name in the folder @dirfd; NULL with errno if there is none (ENOENT, EINVAL, ...). */
struct json_object *json_file_read(int dirfd, const char *name);

/* Member @name of @object, of any type; NULL if there is none. NULL has no members. */
struct json_object *json_member(struct json_object *object, const char *name);

/* The same as text, cut to @size; "" if it is none. */
void json_copy_text(struct json_object *object, const char *name, char *ret, size_t size);

/* The same as a number; 0 if it is none. */
int64_t json_get_number(struct json_object *object, const char *name);
double json_get_double(struct json_object *object, const char *name);

void json_putp(struct json_object **object);

#endif
