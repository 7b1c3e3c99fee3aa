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
	if (c == ':')
		return usage_error(argv[0], "'%s' wants a value", argv[optind - 1]);
	/* A known long option, by its number, is only refused for a value that it does not take. */
	if (optopt >= 256)
		return usage_error(argv[0], "'%s': the option takes no value", argv[optind - 1]);
	/* A letter may stand among others in one word. */
	if (optopt)
		return usage_error(argv[0], "unknown option '-%c'", optopt);
	return usage_error(argv[0], "unknown option '%s'", argv[optind - 1]);
}
