// SPDX-License-Identifier: GPL-2.0-only
#include "base/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BLANKS " \t\r\n"

/* A line with those that it goes on in, without blanks around it. */
struct line {
	const char *path;
	char *text;
	size_t length;
	unsigned int number; /* of the first of them */
	unsigned int next;
};

static void line_deinit(struct line *line)
{
	free(line->text);
}

static bool is_comment(const char *text)
{
	text += strspn(text, BLANKS);
	return *text == '#' || *text == ';';
}

static void cut_blanks(char *text)
{
	size_t length = strlen(text), first = strspn(text, BLANKS);

	while (length > first && strchr(BLANKS, text[length - 1]))
		length--;
	memmove(text, text + first, length - first);
	text[length - first] = '\0';
}

static struct error *append(struct line *line, const char *text)
{
	size_t length = strlen(text);
	char *longer = realloc(line->text, line->length + length + 1);

	if (!longer)
		return &error_no_memory;
	memcpy(longer + line->length, text, length + 1);
	line->text = longer;
	line->length += length;
	return NULL;
}

/* Whether @line goes on; then a blank takes the place of the backslash. */
static bool goes_on(struct line *line)
{
	size_t end = line->length;

	while (end && strchr("\r\n", line->text[end - 1]))
		end--;
	if (!end || line->text[end - 1] != '\\')
		return false;
	line->text[end - 1] = ' ';
	line->text[end] = '\0';
	line->length = end;
	return true;
}

/* False at the end of the file, or at an error. Comments between the lines that one goes on in do not end it. */
static bool next_line(FILE *in, struct line *line, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t capacity = 0;
	ssize_t length;
	bool more = false;

	line->length = 0;
	errno = 0;
	while ((length = getline(&text, &capacity, in)) >= 0) {
		line->next++;
		if ((size_t)length != strlen(text)) {
			*err = error_create(ERROR_OTHER, "%s:%u: a zero byte", line->path,
					    line->next);
			return false;
		}
		if (is_comment(text))
			continue;
		if (!more)
			line->number = line->next;
		*err = append(line, text);
		if (*err)
			return false;
		more = goes_on(line);
		if (!more)
			break;
	}
	if (ferror(in))
		*err = error_errno("%s", line->path);
	if (*err || (length < 0 && !more))
		return false;
	cut_blanks(line->text);
	return true;
}

/* Splits "[Section]" off; false if it is none. */
static bool is_section(char *text, char **section)
{
	size_t length = strlen(text);

	if (length < 3 || text[0] != '[' || text[length - 1] != ']')
		return false;
	text[length - 1] = '\0';
	free(*section);
	*section = strdup(text + 1);
	return true;
}

static struct error *take(struct line *line, const char *section, ini_handler *handler,
			  void *context)
{
	char *value = strchr(line->text, '=');

	if (!value || value == line->text)
		return error_create(ERROR_OTHER, "%s:%u: neither [Section] nor Key=value: %s",
				    line->path, line->number, line->text);
	*value++ = '\0';
	cut_blanks(line->text);
	cut_blanks(value);
	struct ini_entry entry = {
		.path = line->path,
		.section = section,
		.key = line->text,
		.value = value,
		.line = line->number,
	};
	return error_prefix(handler(&entry, context), "%s:%u", line->path, line->number);
}

struct error *ini_read(FILE *in, const char *path, ini_handler *handler, void *context)
{
	_cleanup_(line_deinit) struct line line = { .path = path };
	_cleanup_free_ char *section = strdup("");
	struct error *err = NULL;

	while (section && !err && next_line(in, &line, &err)) {
		if (*line.text && !is_section(line.text, &section))
			err = take(&line, section, handler, context);
	}
	return section ? err : &error_no_memory;
}
