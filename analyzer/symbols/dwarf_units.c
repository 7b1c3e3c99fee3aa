// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/dwarf_units.h"

#include <dwarf.h>

#include "base/search.h"

#define MAX_RANGES   (4u << 20)
#define MAX_NESTING  8 /* of namespaces, which Rust has */
#define MAX_CHILDREN (8u << 20)

static int compare_ranges(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static struct error *add_range(struct debug_file *file, uint64_t start, uint64_t end,
			       Dwarf_Off unit)
{
	/* Code that the linker dropped has address 0. */
	if (!start || end <= start)
		return NULL;
	struct unit_range *range =
		file->ranges.count < MAX_RANGES ? vector_push(&file->ranges) : NULL;
	if (!range)
		return &error_no_memory;
	*range = (struct unit_range){ start, end, unit };
	return NULL;
}

static void sort_ranges(struct debug_file *file)
{
	if (file->ranges.count)
		qsort(file->ranges.data, file->ranges.count, sizeof(*file->ranges.data),
		      compare_ranges);
}

struct error *dwarf_units_init(struct debug_file *file)
{
	Dwarf_Aranges *aranges = NULL;
	size_t count = 0;
	struct error *err = NULL;

	/* Damaged ones are as good as none. */
	if (dwarf_getaranges(file->dwarf, &aranges, &count))
		count = 0;
	for (size_t i = 0; !err && i < count; i++) {
		Dwarf_Addr start;
		Dwarf_Word length;
		Dwarf_Off unit;
		Dwarf_Arange *arange = dwarf_onearange(aranges, i);
		if (arange && !dwarf_getarangeinfo(arange, &start, &length, &unit))
			err = add_range(file, start, start + length, unit);
	}
	sort_ranges(file);
	return err;
}

static int compare_offsets(const void *a, const void *b)
{
	Dwarf_Off x = *(const Dwarf_Off *)a, y = *(const Dwarf_Off *)b;
	return x < y ? -1 : x > y;
}

/* Compilers other than gcc write no .debug_aranges: the ranges of the units that are not in there. */
static struct error *add_other_units(struct debug_file *file)
{
	size_t nr_known = file->ranges.count;
	Dwarf_Off *known = malloc((nr_known + 1) * sizeof(*known)), offset = 0, next;
	size_t header;
	struct error *err = known ? NULL : &error_no_memory;

	file->has_all_units = true;
	for (size_t i = 0; !err && i < nr_known; i++)
		known[i] = file->ranges.data[i].unit;
	if (!err && nr_known)
		qsort(known, nr_known, sizeof(*known), compare_offsets);
	for (; !err && !dwarf_next_unit(file->dwarf, offset, &next, &header, NULL, NULL, NULL, NULL,
					NULL, NULL);
	     offset = next) {
		Dwarf_Off unit = offset + header;
		Dwarf_Die die;
		Dwarf_Addr base, start, end;
		if ((nr_known &&
		     bsearch(&unit, known, nr_known, sizeof(*known), compare_offsets)) ||
		    !dwarf_offdie(file->dwarf, unit, &die))
			continue;
		for (ptrdiff_t at = 0;
		     !err && (at = dwarf_ranges(&die, at, &base, &start, &end)) > 0;)
			err = add_range(file, start, end, unit);
	}
	free(known);
	sort_ranges(file);
	return err;
}

static const struct unit_range *find_range(const struct debug_file *file, uint64_t address)
{
	const struct unit_range *ranges = file->ranges.data;
	size_t i = search_upto(ranges, file->ranges.count, start, address);

	return i && address < ranges[i - 1].end ? &ranges[i - 1] : NULL;
}

static bool add_function(struct dwarf_unit *unit, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;

	for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
		if (!start || end <= start)
			continue;
		struct dwarf_function *function = vector_push(&unit->functions);
		if (!function)
			return false;
		*function = (struct dwarf_function){ start, end, *die };
	}
	return true;
}

static bool add_functions(struct dwarf_unit *unit, Dwarf_Die *parent, unsigned int depth)
{
	Dwarf_Die die;
	bool good = true;
	size_t count = 0;

	if (depth > MAX_NESTING || dwarf_child(parent, &die))
		return true;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram)
			good = add_function(unit, &die);
		else if (tag == DW_TAG_namespace)
			good = add_functions(unit, &die, depth + 1);
	} while (good && count++ < MAX_CHILDREN && !dwarf_siblingof(&die, &die));
	return good;
}

static int compare_functions(const void *a, const void *b)
{
	const struct dwarf_function *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static struct dwarf_unit *open_unit(struct debug_file *file, Dwarf_Off offset)
{
	struct dwarf_unit *unit = calloc(1, sizeof(*unit)), **place;

	if (!unit)
		return NULL;
	if (!dwarf_offdie(file->dwarf, offset, &unit->die) || !add_functions(unit, &unit->die, 0) ||
	    !(place = vector_push(&file->units))) {
		vector_deinit(&unit->functions);
		free(unit);
		return NULL;
	}
	if (unit->functions.count)
		qsort(unit->functions.data, unit->functions.count, sizeof(*unit->functions.data),
		      compare_functions);
	*place = unit;
	return unit;
}

struct dwarf_unit *dwarf_unit_find(struct debug_file *file, uint64_t address)
{
	const struct unit_range *range = find_range(file, address);

	if (!range && !file->has_all_units) {
		error_destroy(add_other_units(file));
		range = find_range(file, address);
	}
	if (!range)
		return NULL;
	for (size_t i = 0; i < file->units.count; i++)
		if (dwarf_dieoffset(&file->units.data[i]->die) == range->unit)
			return file->units.data[i];
	return open_unit(file, range->unit);
}

Dwarf_Die *dwarf_function_find(struct dwarf_unit *unit, uint64_t address)
{
	struct dwarf_function *functions = unit->functions.data;
	size_t i = search_upto(functions, unit->functions.count, start, address);

	return i && address < functions[i - 1].end ? &functions[i - 1].die : NULL;
}

void dwarf_units_deinit(struct debug_file *file)
{
	for (size_t i = 0; i < file->units.count; i++) {
		vector_deinit(&file->units.data[i]->functions);
		free(file->units.data[i]);
	}
	vector_deinit(&file->units);
	vector_deinit(&file->ranges);
}
