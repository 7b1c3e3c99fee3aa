// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns a text into an input for a fuzz target: make_input TEXT OUTPUT. The text has make_kernel.h's lines, and
 *
 *	file		the input is the vmcore that the text makes, as a file
 *	kernel FILE	first reads the definitions of that file, which the target has its kernel of
 *	text		what follows is the input as it stands
 *	patch OFFSET SIZE N	file: other bytes in it, when it is written
 *	cut SIZE	file: it ends there
 *
 * Else the input is what is written to memory from FUZZ_VA, or from 0, on. With a kernel or lines of 'info' it begins
 * with these lines and a 0, as fuzz.h says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

struct input {
	struct make_kernel k;
	bool file, memory;
	struct {
		uint64_t offset, value;
		unsigned int size;
	} patches[16];
	size_t nr_patches;
	uint64_t end; /* of the file; 0: where it ends by itself */
	uint8_t bytes[FUZZ_SIZE];
	size_t size;
	bool (*take_line)(struct make_dump *d, char *line);
};

static struct input input;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		die(path);
	fclose(file);
	return text;
}

/* Memory that is not the input's belongs to the kernel around it. */
static void poke(struct make_dump *d, uint64_t address, const void *data, size_t size)
{
	uint64_t at = address >= FUZZ_VA ? address - FUZZ_VA : address;

	(void)d;
	if (at >= FUZZ_SIZE || size > FUZZ_SIZE - at)
		return;
	memcpy(input.bytes + at, data, size);
	if (at + size > input.size)
		input.size = at + size;
}

static bool take_file_line(struct make_dump *d, char *line)
{
	char offset[32], value[32];
	unsigned int size;

	if (sscanf(line, "cut %31s", offset) == 1) {
		input.end = d->number(d, offset);
		return true;
	}
	if (sscanf(line, "patch %31s %u %31s", offset, &size, value) != 3)
		return false;
	if (input.nr_patches == sizeof(input.patches) / sizeof(input.patches[0]))
		die("patches");
	input.patches[input.nr_patches].offset = d->number(d, offset);
	input.patches[input.nr_patches].size = size;
	input.patches[input.nr_patches++].value = d->number(d, value);
	return true;
}

static bool take_line(struct make_dump *d, char *line)
{
	if (!strcmp(line, "file")) {
		input.file = true;
		d->take_line = take_file_line;
		d->poke = make_dump_poke;
		d->finish = NULL;
		return true;
	}
	if (!strncmp(line, "kernel ", 7)) {
		char *text = read_text(line + 7);
		make_kernel_text(&input.k, text);
		free(text);
		/* What that file says of the vmcoreinfo is the kernel's, not the input's. */
		free(d->info);
		d->info = NULL;
		input.memory = true;
		return true;
	}
	return input.take_line(d, line);
}

static void write_file(const char *path, const char *info, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	if (!file || (info && fwrite(info, strlen(info) + 1, 1, file) != 1) ||
	    (size && fwrite(data, size, 1, file) != 1) || fclose(file))
		die(path);
}

static void write_vmcore(const char *path)
{
	struct make_dump *d = &input.k.dump;
	FILE *file = fopen(make_dump_write(d), "r");
	char *bytes = malloc(d->size);

	if (!file || !bytes || fread(bytes, 1, d->size, file) != d->size)
		die(d->path);
	fclose(file);
	for (size_t i = 0; i < input.nr_patches; i++)
		memcpy(bytes + input.patches[i].offset, &input.patches[i].value,
		       input.patches[i].size);
	write_file(path, NULL, bytes, input.end ? input.end : d->size);
	free(bytes);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("Usage: make_input TEXT OUTPUT\n", stderr);
		return 2;
	}
	char *text = read_text(argv[1]);
	struct make_dump *d = &input.k.dump;
	if (!strncmp(text, "text\n", 5)) {
		write_file(argv[2], NULL, text + 5, strlen(text + 5));
		free(text);
		return 0;
	}
	make_kernel_init(&input.k);
	input.take_line = d->take_line;
	d->take_line = take_line;
	d->poke = poke;
	make_kernel_text(&input.k, text);
	if (input.file)
		write_vmcore(argv[2]);
	else
		write_file(argv[2],
			   d->info	  ? d->info
			   : input.memory ? ""
					  : NULL,
			   input.bytes, input.size);
	make_kernel_deinit(&input.k);
	free(text);
	return 0;
}
