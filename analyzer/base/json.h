/* SPDX-License-Identifier: GPL-2.0-only */
/* The few things that all JSON of lockdump needs, on json-c. Unknown is null, never left out. */
#ifndef LOCKDUMP_JSON_H
#define LOCKDUMP_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* Adds a member. @key must be a constant: it is not copied. NULL @value is null. */
void json_add(struct json_object *object, const char *key, struct json_object *value);

/* A string, or null for NULL. Bytes that are no UTF-8, which a dump may hold, become '?'. */
struct json_object *json_text(const char *s);

/* The same, and null for an empty one too, where that stands for what is not known. */
struct json_object *json_text_or_null(const char *s);

/* A number, or null if @value is UINT64_MAX. */
struct json_object *json_number(uint64_t value);

/* Seconds out of nanoseconds, to the microsecond; null if @ns is UINT64_MAX. */
struct json_object *json_seconds(uint64_t ns);

/* The same out of seconds; null if they are no number. */
struct json_object *json_double(double seconds);

/* An address: "0xffffffff81000000". */
struct json_object *json_address(uint64_t address);

/*
 * Writes an object whose members are too large to be held all at once: member by member, and arrays element by
 * element. Each value is freed when it is written.
 */
struct json_writer {
	FILE *out;
	bool first; /* no comma before the next */
};

void json_begin(struct json_writer *writer, FILE *out);
void json_write(struct json_writer *writer, const char *key, struct json_object *value);
void json_begin_array(struct json_writer *writer, const char *key);
void json_write_element(struct json_writer *writer, struct json_object *value);
void json_end_array(struct json_writer *writer);
struct error *json_end(struct json_writer *writer);

#endif
