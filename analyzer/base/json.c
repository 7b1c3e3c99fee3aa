// SPDX-License-Identifier: GPL-2.0-only
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add_ex(object, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

struct json_object *json_text(const char *s)
{
	const char *at = s;

	if (!s)
		return NULL;
	while (*at && utf8_next(at, NULL))
		at += utf8_next(at, NULL);
	if (!*at)
		return json_object_new_string(s);

	char *copy = strdup(s);
	if (!copy)
		return NULL;
	for (char *c = copy; *c;) {
		size_t n = utf8_next(c, NULL);
		if (!n)
			*c = '?';
		c += n ? n : 1;
	}
	struct json_object *ret = json_object_new_string(copy);
	free(copy);
	return ret;
}

struct json_object *json_text_or_null(const char *s)
{
	return json_text(s && *s ? s : NULL);
}

struct json_object *json_number(uint64_t value)
{
	return value == UINT64_MAX ? NULL : json_object_new_uint64(value);
}

struct json_object *json_double(double seconds)
{
	char text[512];

	if (!isfinite(seconds))
		return NULL;
	snprintf(text, sizeof(text), "%.6f", seconds);
	return json_object_new_double_s(seconds, text);
}

struct json_object *json_seconds(uint64_t ns)
{
	return ns == UINT64_MAX ? NULL : json_double(ns / 1e9);
}

struct json_object *json_address(uint64_t address)
{
	char text[32];

	return json_object_new_string_len(
		text, snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address));
}

void json_begin(struct json_writer *writer, FILE *out)
{
	*writer = (struct json_writer){ .out = out, .first = true };
	fputs("{\n", out);
}

static void separate(struct json_writer *writer)
{
	if (!writer->first)
		fputs(",\n", writer->out);
	writer->first = false;
}

static void put(struct json_writer *writer, struct json_object *value)
{
	fputs(json_object_to_json_string_ext(value, JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE),
	      writer->out);
	json_object_put(value);
}

void json_write(struct json_writer *writer, const char *key, struct json_object *value)
{
	separate(writer);
	fprintf(writer->out, "  \"%s\": ", key);
	put(writer, value);
}

void json_begin_array(struct json_writer *writer, const char *key)
{
	separate(writer);
	fprintf(writer->out, "  \"%s\": [\n", key);
	writer->first = true;
}

void json_write_element(struct json_writer *writer, struct json_object *value)
{
	separate(writer);
	fputs("    ", writer->out);
	put(writer, value);
}

void json_end_array(struct json_writer *writer)
{
	fputs(writer->first ? "  ]" : "\n  ]", writer->out);
	writer->first = false;
}

struct error *json_end(struct json_writer *writer)
{
	fputs("\n}\n", writer->out);
	if (fflush(writer->out) || ferror(writer->out))
		return error_errno("cannot write");
	return NULL;
}
