// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line of /proc/kallsyms is "ADDRESS TYPE NAME", in a module also "\t[MODULE]". The core kernel's come first,
 * by address, then each module's, in the modules' own order: addresses go up and down. Of several names at one
 * address the first is taken, as the kernel does (get_symbol_pos() in kernel/kallsyms.c).
 *
 * The wanted addresses, in order, cut the address space into pieces, each from above one wanted address up to
 * and including the next. Of all symbols that begin in a piece only two can matter: the highest, which is the
 * function of the address that ends the piece (and of those after it as long as nothing begins between), and
 * the lowest, which is where the function of the address before the piece stops. Data
 * counts for the latter only.
 */
#include "capture/ksyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct piece {
	uint64_t lowest; /* 0: nothing begins in it */
	char module[KSYM_MODULE_SIZE]; /* of the lowest */
};

static int compare_pc(const void *a, const void *b)
{
	uint64_t x = ((const struct ksym *)a)->pc, y = ((const struct ksym *)b)->pc;

	return x < y ? -1 : x > y;
}

/* The first of @syms whose pc is not below @address; @count if there is none. */
static size_t piece_of(const struct ksym *syms, size_t count, uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (syms[middle].pc < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Splits @line in place. False if it is no symbol's. */
static bool parse_line(char *line, uint64_t *address, char *type, char **name, char **module)
{
	char *end;

	*address = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	*type = end[1];
	*name = end + 3;
	end = *name + strcspn(*name, "\t\n");
	if (end[0] == '\t' && end[1] == '[') {
		*module = end + 2;
		(*module)[strcspn(*module, "]\n")] = '\0';
	} else {
		*module = end + strlen(end);
	}
	*end = '\0';
	return end != *name;
}

static void take(struct ksym *syms, struct piece *pieces, size_t count, char *line)
{
	uint64_t address;
	char type, *name, *module;

	/* Zero: the kernel hides the addresses (kernel.kptr_restrict). */
	if (!parse_line(line, &address, &type, &name, &module) || !address)
		return;
	size_t i = piece_of(syms, count, address);
	struct piece *piece = &pieces[i];
	if (!piece->lowest || address < piece->lowest) {
		piece->lowest = address;
		snprintf(piece->module, sizeof(piece->module), "%s", module);
	}
	if (!strchr("tTwW", type) || i == count || address <= syms[i].address)
		return;
	syms[i].address = address;
	snprintf(syms[i].name, sizeof(syms[i].name), "%s", name);
	snprintf(syms[i].module, sizeof(syms[i].module), "%s", module);
}

/* An address in whose piece no function begins lies in that of the one before. */
static void fill_gaps(struct ksym *syms, const struct piece *pieces, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (syms[i].address || pieces[i].lowest)
			continue;
		uint64_t pc = syms[i].pc;
		syms[i] = syms[i - 1];
		syms[i].pc = pc;
	}
}

/* A function stops where the next symbol of its module begins. */
static void measure(struct ksym *syms, const struct piece *pieces, size_t count)
{
	const struct piece *next = NULL;

	for (size_t i = count; i-- > 0;) {
		if (pieces[i + 1].lowest)
			next = &pieces[i + 1];
		if (syms[i].address && next && !strcmp(next->module, syms[i].module))
			syms[i].size = next->lowest - syms[i].address;
	}
}

struct error *ksyms_resolve(FILE *in, struct ksym *syms, size_t count)
{
	_cleanup_free_ struct piece *pieces = calloc(count + 1, sizeof(*pieces));
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	if (!pieces)
		return &error_no_memory;
	if (count)
		qsort(syms, count, sizeof(*syms), compare_pc);
	for (size_t i = 0; i < count; i++)
		syms[i].address = syms[i].size = 0;
	errno = 0;
	while (getline(&line, &capacity, in) >= 0)
		take(syms, pieces, count, line);
	if (ferror(in))
		return error_errno(KSYMS_PATH);
	fill_gaps(syms, pieces, count);
	measure(syms, pieces, count);
	return NULL;
}

struct error *ksyms_look_up(FILE *in, struct ksym_wanted *wanted, size_t count)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	uint64_t address;
	char type, *name, *module;

	for (size_t i = 0; i < count; i++)
		wanted[i].address = 0;
	errno = 0;
	while (getline(&line, &capacity, in) >= 0) {
		if (!parse_line(line, &address, &type, &name, &module) || *module)
			continue;
		for (size_t i = 0; i < count; i++)
			if (!wanted[i].address && !strcmp(name, wanted[i].name))
				wanted[i].address = address;
	}
	return ferror(in) ? error_errno(KSYMS_PATH) : NULL;
}

const struct ksym *ksyms_find(const struct ksym *syms, size_t count, uint64_t pc)
{
	size_t i = piece_of(syms, count, pc);

	return i < count && syms[i].pc == pc ? &syms[i] : NULL;
}
