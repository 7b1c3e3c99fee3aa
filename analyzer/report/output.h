/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a verb's result goes: stdout, a device or a pipe, or a file that is whole or not there. */
#ifndef LOCKDUMP_OUTPUT_H
#define LOCKDUMP_OUTPUT_H

#include <stdio.h>

#include "base/error.h"
#include "base/interrupts.h"

struct output {
	FILE *file;
	const char *path; /* as it was named; NULL: stdout */
	char *target; /* what is to be replaced: @path, symbolic links followed; NULL: it is written in place */
	char *temp;
	struct interrupts interrupts; /* kept waiting while there is @temp */
};

/* A file that is to be put in its place is thrown away too if a signal ends the program: output_close() lets it. */
struct error *output_open(const char *path, struct output *ret);

/* An error if @path, which may be NULL, is one of @inputs: a dump would be lost to its report. NULLs are passed over. */
struct error *output_check(const char *path, const char *const *inputs, size_t count);

/* Puts the file in its place; with @err, which is passed on, throws it away instead. */
struct error *output_close(struct output *output, struct error *err);

#endif
