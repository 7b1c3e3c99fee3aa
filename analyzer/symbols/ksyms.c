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
#include "symbols/ksyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/search.h"

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
	return address ? search_upto(syms, count, pc, address - 1) : 0;
}

/* Where the name begins in @line; NULL if it is no symbol's. (strtoull() was a quarter of the whole time.) */
static char *parse_address(char *line, uint64_t *address, char *type)
{
	char *end = line;
	int digit;

	for (*address = 0; (digit = hex_digit(*end)) >= 0; end++)
		*address = *address << 4 | digit;
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return NULL;
	*type = end[1];
	return strchr("\t\n", end[3]) ? NULL : end + 3;
}

static bool is_function(char type)
{
	return strchr("tTwW", type);
}

/* Splits @line in place. False if it is no symbol's. */
static bool parse_line(char *line, uint64_t *address, char *type, char **name, char **module)
{
	*name = parse_address(line, address, type);
	if (!*name)
		return false;
	char *end = *name + strcspn(*name, "\t\n");
	if (end[0] == '\t' && end[1] == '[') {
		*module = end + 2;
		(*module)[strcspn(*module, "]\n")] = '\0';
	} else {
		*module = end + strlen(end);
	}
	*end = '\0';
	return true;
}

/* The highest function of a piece so far. Nearly each is followed by a higher one: only then is it named. */
struct candidate {
	size_t piece;
	char *line; /* NULL: there is none */
	size_t capacity;
};

static void candidate_deinit(struct candidate *candidate)
{
	free(candidate->line);
}

static void swap_lines(struct candidate *candidate, char **line, size_t *capacity)
{
	char *kept = candidate->line;
	size_t size = candidate->capacity;

	candidate->line = *line;
	candidate->capacity = *capacity;
	*line = kept;
	*capacity = size;
}

static void name_function(struct ksym *syms, const struct candidate *candidate)
{
	struct ksym *sym = &syms[candidate->piece];
	uint64_t address;
	char type, *name, *module;

	if (!candidate->line || !parse_line(candidate->line, &address, &type, &name, &module))
		return;
	snprintf(sym->name, sizeof(sym->name), "%s", name);
	snprintf(sym->module, sizeof(sym->module), "%s", module);
}

/* Leaves the line whole, which may be a candidate's too. */
static void begin_piece(struct piece *piece, uint64_t address, const char *name)
{
	const char *module = strstr(name, "\t[");
	int length = module ? (int)strcspn(module + 2, "]\n") : 0;

	piece->lowest = address;
	snprintf(piece->module, sizeof(piece->module), "%.*s", length, module ? module + 2 : "");
}

static void take(struct ksym *syms, struct piece *pieces, size_t count, struct candidate *candidate,
		 char **line, size_t *capacity)
{
	uint64_t address;
	char type;
	const char *name = parse_address(*line, &address, &type);

	/* Zero: the kernel hides the addresses (kernel.kptr_restrict). */
	if (!name || !address)
		return;
	size_t i = piece_of(syms, count, address);
	if (!pieces[i].lowest || address < pieces[i].lowest)
		begin_piece(&pieces[i], address, name);
	if (!is_function(type) || i == count || address <= syms[i].address)
		return;
	if (candidate->piece != i)
		name_function(syms, candidate);
	syms[i].address = address;
	candidate->piece = i;
	swap_lines(candidate, line, capacity);
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
	_cleanup_(candidate_deinit) struct candidate candidate = {};

	if (!pieces)
		return &error_no_memory;
	if (count)
		qsort(syms, count, sizeof(*syms), compare_pc);
	for (size_t i = 0; i < count; i++)
		syms[i].address = syms[i].size = 0;
	errno = 0;
	while (getline(&line, &capacity, in) >= 0)
		take(syms, pieces, count, &candidate, &line, &capacity);
	if (ferror(in))
		return error_errno(KSYMS_PATH);
	name_function(syms, &candidate);
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
		wanted[i].address = wanted[i].end = 0;
	errno = 0;
	while (getline(&line, &capacity, in) >= 0) {
		if (!parse_line(line, &address, &type, &name, &module) || *module)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (!wanted[i].address && !strcmp(name, wanted[i].name))
				wanted[i].address = address;
			else if (wanted[i].address && !wanted[i].end && address > wanted[i].address)
				wanted[i].end = address;
		}
	}
	return ferror(in) ? error_errno(KSYMS_PATH) : NULL;
}

struct error *ksyms_find_functions(FILE *in, struct ksym_function *functions, size_t count)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	uint64_t address;
	char type, *name, *module;

	for (size_t i = 0; i < count; i++)
		functions[i].address = functions[i].count = 0;
	errno = 0;
	while (getline(&line, &capacity, in) >= 0) {
		if (!parse_line(line, &address, &type, &name, &module) || !is_function(type))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(name, functions[i].name) != 0)
				continue;
			if (!functions[i].count++)
				functions[i].address = address;
		}
	}
	return ferror(in) ? error_errno(KSYMS_PATH) : NULL;
}

const struct ksym *ksyms_find(const struct ksym *syms, size_t count, uint64_t pc)
{
	size_t i = piece_of(syms, count, pc);

	return i < count && syms[i].pc == pc ? &syms[i] : NULL;
}

void ksym_place(const struct ksym *sym, uint64_t pc, char ret[KSYM_PLACE_SIZE])
{
	const size_t size = KSYM_PLACE_SIZE;

	if (!sym || !sym->address) {
		snprintf(ret, size, "0x%" PRIx64, pc);
		return;
	}
	int len = snprintf(ret, size, "%s+0x%" PRIx64, sym->name, pc - sym->address);
	if (sym->size)
		len += snprintf(ret + len, size - len, "/0x%" PRIx64, sym->size);
	if (*sym->module)
		snprintf(ret + len, size - len, " [%s]", sym->module);
}
