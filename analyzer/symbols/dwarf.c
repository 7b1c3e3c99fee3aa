// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <string.h>

#include "symbols/dwarf_type.h"
#include "symbols/dwarf_units.h"

#define MAX_INLINED 32
#define MAX_SCOPES  128

/*
 * The path without "." and without "x/..": a kernel that was built out of its tree has paths like
 * "../arch/x86/../../kernel/sched/core.c".
 */
static const char *clean_path(struct arena *arena, const char *path)
{
	char *ret = arena_alloc(arena, strlen(path) + 2);
	size_t out = 0, floor; /* ".." does not lead below that */

	if (!ret)
		return NULL;
	if (*path == '/')
		ret[out++] = '/';
	floor = out;
	while (*path) {
		size_t part = strcspn(path, "/");
		bool up = part == 2 && !strncmp(path, "..", 2);
		if (up && out > floor) {
			for (out--; out > floor && ret[out - 1] != '/'; out--)
				;
		} else if (part && !(part == 1 && *path == '.')) {
			memcpy(ret + out, path, part);
			out += part;
			ret[out++] = '/';
			if (up)
				floor = out;
		}
		path += part;
		path += *path == '/';
	}
	ret[out > 1 ? out - 1 : out] = '\0';
	return ret;
}

static void set_file(struct debug_file *file, struct source_place *place, const char *path)
{
	place->file = path ? clean_path(&file->arena, path) : NULL;
}

/* The row of the line table that covers @address. */
static void set_line(struct debug_file *file, struct source_place *place, Dwarf_Die *unit,
		     uint64_t address)
{
	Dwarf_Line *row = dwarf_getsrc_die(unit, address);
	int line;

	if (!row)
		return;
	set_file(file, place, dwarf_linesrc(row, NULL, NULL));
	if (!dwarf_lineno(row, &line) && line > 0)
		place->line = line;
}

/* @place is where the function of @inlined was called. */
static void set_call(struct debug_file *file, struct source_place *place, Dwarf_Die *unit,
		     Dwarf_Die *inlined)
{
	Dwarf_Files *files;
	uint64_t index, line;
	size_t count;

	if (dwarf_number(inlined, DW_AT_call_file, &index) &&
	    !dwarf_getsrcfiles(unit, &files, &count) && index < count)
		set_file(file, place, dwarf_filesrc(files, index, NULL, NULL));
	if (dwarf_number(inlined, DW_AT_call_line, &line) && line <= UINT32_MAX)
		place->line = line;
}

/* The child of @scope that is a scope too and has @address in it. */
static bool find_inner(Dwarf_Die *scope, uint64_t address, Dwarf_Die *ret)
{
	Dwarf_Die die;

	if (dwarf_child(scope, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);
		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
		    dwarf_haspc(&die, address) > 0) {
			*ret = die;
			return true;
		}
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

/* The function and what was inlined into it, from the outermost in; returns how many. */
static size_t find_scopes(Dwarf_Die *function, uint64_t address, Dwarf_Die scopes[MAX_INLINED])
{
	size_t count = 0;
	Dwarf_Die scope = *function;

	scopes[count++] = scope;
	for (int depth = 0; depth < MAX_SCOPES && find_inner(&scope, address, &scope); depth++)
		if (dwarf_tag(&scope) == DW_TAG_inlined_subroutine && count < MAX_INLINED)
			scopes[count++] = scope;
	return count;
}

static struct source_places *find_places(struct debug_file *file, uint64_t address)
{
	struct dwarf_unit *unit = dwarf_unit_find(file, address);
	Dwarf_Die *function = unit ? dwarf_function_find(unit, address) : NULL;
	Dwarf_Die scopes[MAX_INLINED];
	size_t count = function ? find_scopes(function, address, scopes) : !!unit;
	struct source_places *ret =
		arena_alloc(&file->arena, sizeof(*ret) + count * sizeof(ret->list[0]));

	if (!ret)
		return NULL;
	ret->address = address;
	ret->count = count;
	for (size_t i = 0; i < count; i++) {
		struct source_place *place = &ret->list[i];
		*place = (struct source_place){ .inlined = i + 1 < count };
		if (function) {
			place->scope = scopes[count - 1 - i];
			place->function = dwarf_diename(&place->scope);
		}
		if (i)
			set_call(file, place, &unit->die, &scopes[count - i]);
		else
			set_line(file, place, &unit->die, address);
	}
	return ret;
}

const struct source_places *dwarf_places(struct debug_file *file, uint64_t address)
{
	address -= file->bias;
	struct source_places **bucket = &file->places[(address ^ address >> 10) % PLACES_BUCKETS];

	for (struct source_places *places = *bucket; places; places = places->next)
		if (places->address == address)
			return places;
	struct source_places *places = find_places(file, address);
	if (places) {
		places->next = *bucket;
		*bucket = places;
	}
	return places;
}
