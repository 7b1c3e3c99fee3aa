// SPDX-License-Identifier: GPL-2.0-only
#include "base/usage.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

int usage_error(const char *verb, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "lockdump: %s: ", verb);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see 'lockdump %s --help'\n", verb);
	return 2;
}

int usage_bad_option(char **argv, int c)
{
	/* A long option was taken off argv, a letter may stand among others in one word. */
	if (c == ':')
		return usage_error(argv[0], "%s wants a value", argv[optind - 1]);
	if (optopt && optopt < 256)
		return usage_error(argv[0], "unknown option '-%c'", optopt);
	return usage_error(argv[0], "unknown option '%s'", argv[optind - 1]);
}
