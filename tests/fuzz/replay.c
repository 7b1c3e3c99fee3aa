// SPDX-License-Identifier: GPL-2.0-only
/* A fuzz target without its fuzzer: each file that is named is an input. For coverage, and compilers that have no libFuzzer. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static void replay(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t size = 0, capacity = 1 << 20;
	uint8_t *data = malloc(capacity);

	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, capacity, file);
	fclose(file);
	/* No longer than it is, so that the memory checkers see its end. */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	return 0;
}
