// SPDX-License-Identifier: GPL-2.0-only
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/print.h"

struct error error_no_memory = {
	.class = ERROR_NO_MEMORY,
	.message = (char *)"out of memory",
};

struct error *error_vfault(enum error_class class, uint64_t address, const char *format,
			   va_list args)
{
	struct error *err = malloc(sizeof(*err));

	if (!err)
		return &error_no_memory;
	err->class = class;
	err->address = address;
	if (vasprintf(&err->message, format, args) < 0) {
		free(err);
		return &error_no_memory;
	}
	return err;
}

struct error *error_create(enum error_class class, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *err = error_vfault(class, 0, format, args);
	va_end(args);
	return err;
}

struct error *error_fault(enum error_class class, uint64_t address, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *err = error_vfault(class, address, format, args);
	va_end(args);
	return err;
}

struct error *error_copy(const struct error *err)
{
	return err ? error_fault(err->class, err->address, "%s", err->message) : NULL;
}

struct error *error_errno(const char *format, ...)
{
	int saved = errno;
	va_list args;
	va_start(args, format);
	struct error *err = error_vfault(ERROR_SYSTEM, 0, format, args);
	va_end(args);

	char *whole;
	if (err == &error_no_memory ||
	    asprintf(&whole, "%s: %s", err->message, strerror(saved)) < 0)
		return err;
	free(err->message);
	err->message = whole;
	return err;
}

struct error *error_prefix(struct error *err, const char *format, ...)
{
	char *prefix, *whole;

	if (!err || err == &error_no_memory)
		return err;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&prefix, format, args);
	va_end(args);
	if (len < 0)
		return err;
	if (asprintf(&whole, "%s: %s", prefix, err->message) >= 0) {
		free(err->message);
		err->message = whole;
	}
	free(prefix);
	return err;
}

void error_destroy(struct error *err)
{
	if (!err || err == &error_no_memory)
		return;
	free(err->message);
	free(err);
}

bool error_is_fault(enum error_class class)
{
	return class >= ERROR_EXCLUDED;
}

const char *error_class_name(enum error_class class)
{
	switch (class) {
	case ERROR_EXCLUDED:
		return "excluded";
	case ERROR_MISSING:
		return "missing";
	case ERROR_UNMAPPED:
		return "unmapped";
	case ERROR_CORRUPT:
		return "corrupt";
	default:
		return "other";
	}
}

int error_report(struct error *err)
{
	fputs("lockdump: ", stderr);
	print_text(err->message, stderr);
	fputc('\n', stderr);
	error_destroy(err);
	return 1;
}
