// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/dwarf_type.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 32 /* of types of types */
#define FUNCTION_DEPTH \
	8 /* what a function's parameters count for: of functions of functions there may be many */
#define MAX_PARAMETERS	16
#define MAX_DIMENSIONS	8
#define MAX_OBJECT_SIZE (1ull << 40)

bool dwarf_number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word word;

	if (!dwarf_attr_integrate(die, name, &attribute) || dwarf_formudata(&attribute, &word))
		return false;
	*ret = word;
	return true;
}

/* The type of a variable, member or type. False: it has none, as a pointer to void. */
static bool dwarf_type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
	       dwarf_formref_die(&attribute, ret);
}

static bool is_qualifier(int tag)
{
	return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

bool dwarf_plain_type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	if (!dwarf_type_of(die, ret))
		return false;
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		int tag = dwarf_tag(ret);
		if (tag != DW_TAG_typedef && !is_qualifier(tag))
			return true;
		Dwarf_Die inner = *ret;
		if (!dwarf_type_of(&inner, ret))
			return false;
	}
	return false;
}

/* Puts @before and @after around the text in @s, cutting it off where there is no more room. */
static void wrap(char s[TYPE_NAME_SIZE], const char *before, const char *after)
{
	char copy[TYPE_NAME_SIZE];

	memcpy(copy, s, sizeof(copy));
	if (snprintf(s, TYPE_NAME_SIZE, "%s%s%s", before, copy, after) >= TYPE_NAME_SIZE)
		s[TYPE_NAME_SIZE - 1] = '\0';
}

static void name_type(Dwarf_Die *die, unsigned int depth, char ret[TYPE_NAME_SIZE]);

static void append_dimensions(Dwarf_Die *array, char declarator[TYPE_NAME_SIZE])
{
	Dwarf_Die die;
	unsigned int count = 0;

	if (dwarf_child(array, &die)) {
		wrap(declarator, "", "[]");
		return;
	}
	do {
		uint64_t n;
		char text[32] = "[]";
		if (dwarf_tag(&die) != DW_TAG_subrange_type)
			continue;
		if (dwarf_number(&die, DW_AT_count, &n))
			snprintf(text, sizeof(text), "[%llu]", (unsigned long long)n);
		else if (dwarf_number(&die, DW_AT_upper_bound, &n))
			snprintf(text, sizeof(text), "[%llu]", (unsigned long long)n + 1);
		wrap(declarator, "", text);
	} while (++count < MAX_DIMENSIONS && !dwarf_siblingof(&die, &die));
}

static void append_parameters(Dwarf_Die *function, unsigned int depth,
			      char declarator[TYPE_NAME_SIZE])
{
	Dwarf_Die die;
	unsigned int count = 0;

	wrap(declarator, "", "(");
	if (!dwarf_child(function, &die))
		do {
			char name[TYPE_NAME_SIZE] = "...";
			if (dwarf_tag(&die) == DW_TAG_formal_parameter)
				name_type(&die, depth + FUNCTION_DEPTH, name);
			else if (dwarf_tag(&die) != DW_TAG_unspecified_parameters)
				continue;
			wrap(declarator, "", count++ ? ", " : "");
			wrap(declarator, "", name);
			/* What would be cut off is not looked at. */
		} while (count < MAX_PARAMETERS && strlen(declarator) < TYPE_NAME_SIZE - 1 &&
			 !dwarf_siblingof(&die, &die));
	wrap(declarator, "", count ? ")" : "void)");
}

static void name_base(Dwarf_Die *type, char ret[TYPE_NAME_SIZE])
{
	const char *name = dwarf_diename(type);

	snprintf(ret, TYPE_NAME_SIZE, "%s%s",
		 dwarf_tag(type) == DW_TAG_structure_type     ? "struct "
		 : dwarf_tag(type) == DW_TAG_union_type	      ? "union "
		 : dwarf_tag(type) == DW_TAG_enumeration_type ? "enum "
							      : "",
		 name ? name : "{...}");
}

/* Puts the qualifiers that were come by before @s. */
static void qualify(bool is_const, bool is_volatile, char s[TYPE_NAME_SIZE])
{
	const char *space = *s && *s != '[' ? " " : "";

	if (is_volatile)
		wrap(s, *space ? "volatile " : "volatile", "");
	if (is_const)
		wrap(s, is_volatile || *space ? "const " : "const", "");
}

/* C has what is nearest to the name said last: a declarator grows from the inside out. */
static void name_type(Dwarf_Die *die, unsigned int depth, char ret[TYPE_NAME_SIZE])
{
	char declarator[TYPE_NAME_SIZE] = "";
	Dwarf_Die holder = *die, type;
	bool is_const = false, is_volatile = false;

	strcpy(ret, "void");
	for (; depth < MAX_DEPTH && dwarf_type_of(&holder, &type); depth++, holder = type) {
		int tag = dwarf_tag(&type);
		if (tag == DW_TAG_pointer_type) {
			qualify(is_const, is_volatile, declarator);
			wrap(declarator, "*", "");
			is_const = is_volatile = false;
		} else if (tag == DW_TAG_array_type || tag == DW_TAG_subroutine_type) {
			if (*declarator == '*')
				wrap(declarator, "(", ")");
			if (tag == DW_TAG_array_type)
				append_dimensions(&type, declarator);
			else
				append_parameters(&type, depth, declarator);
		} else if (is_qualifier(tag)) {
			is_const |= tag == DW_TAG_const_type;
			is_volatile |= tag == DW_TAG_volatile_type;
		} else {
			name_base(&type, ret);
			break;
		}
	}
	qualify(is_const, is_volatile, ret);
	wrap(ret, "", *declarator ? " " : "");
	wrap(ret, "", declarator);
}

void dwarf_type_name(Dwarf_Die *die, char ret[TYPE_NAME_SIZE])
{
	name_type(die, 0, ret);
}

/* How many elements the array type has in all its dimensions. */
static bool dwarf_array_count(Dwarf_Die *array, uint64_t *ret)
{
	Dwarf_Die die;
	unsigned int dimensions = 0;

	*ret = 1;
	if (dwarf_child(array, &die))
		return false;
	do {
		uint64_t n;
		if (dwarf_tag(&die) != DW_TAG_subrange_type)
			continue;
		if (dwarf_number(&die, DW_AT_upper_bound, &n))
			n++;
		else if (!dwarf_number(&die, DW_AT_count, &n))
			return false;
		if (__builtin_mul_overflow(*ret, n, ret) || *ret > MAX_OBJECT_SIZE)
			return false;
	} while (++dimensions < MAX_DIMENSIONS && !dwarf_siblingof(&die, &die));
	return dimensions;
}

bool dwarf_type_size(Dwarf_Die *type, uint64_t *ret)
{
	uint64_t factor = 1, count;
	Dwarf_Die die = *type, inner;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (dwarf_number(&die, DW_AT_byte_size, ret))
			return !__builtin_mul_overflow(*ret, factor, ret) &&
			       *ret <= MAX_OBJECT_SIZE;
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_pointer_type) {
			*ret = 8 * factor;
			return true;
		}
		if (tag == DW_TAG_array_type) {
			if (!dwarf_array_count(&die, &count) ||
			    __builtin_mul_overflow(factor, count, &factor) ||
			    factor > MAX_OBJECT_SIZE)
				return false;
		} else if (tag != DW_TAG_typedef && !is_qualifier(tag)) {
			return false;
		}
		if (!dwarf_plain_type_of(&die, &inner))
			return false;
		die = inner;
	}
	return false;
}
