// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/dwarf_value.h"

#include <ctype.h>
#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "symbols/dwarf_type.h"

#define MAX_DEPTH	8
#define MAX_MEMBERS	64
#define MAX_ELEMENTS	16
#define MAX_STRING	128
#define MAX_ENUMERATORS 4096
#define MAX_VALUES	512 /* of one object, all its members and elements counted */

struct printer {
	struct symbols *symbols;
	FILE *out;
	unsigned int structs; /* that are around: members are printed of the outermost only */
	unsigned int depth;
	unsigned int values; /* that were printed */
};

static void put_value(struct printer *p, Dwarf_Die *die, const struct value_bytes *value);

static bool is_known(const struct value_bytes *value, size_t size)
{
	if (value->size < size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!value->known[i])
			return false;
	return true;
}

/* Of 1 to 8 bytes. */
static uint64_t get_unsigned(const struct value_bytes *value, size_t size)
{
	uint64_t ret = 0;

	memcpy(&ret, value->bytes, size);
	return ret;
}

static int64_t extend(uint64_t bits, unsigned int nr_bits)
{
	return nr_bits && nr_bits < 64 ? (int64_t)(bits << (64 - nr_bits)) >> (64 - nr_bits)
				       : (int64_t)bits;
}

static bool is_char(Dwarf_Die *type)
{
	const char *name = dwarf_tag(type) == DW_TAG_base_type ? dwarf_diename(type) : NULL;

	return name && !strcmp(name, "char");
}

static void put_string(struct printer *p, const char *s, size_t size)
{
	size_t len = strnlen(s, size < MAX_STRING ? size : MAX_STRING);

	fputc('"', p->out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];
		if (c == '"' || c == '\\')
			fprintf(p->out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", p->out);
		else if (c == '\t')
			fputs("\\t", p->out);
		else if (c < ' ' || c >= 0x7f)
			fprintf(p->out, "\\%03o", c);
		else
			fputc(c, p->out);
	}
	fputs(len == MAX_STRING ? "\"..." : "\"", p->out);
}

static bool is_text(const char *s)
{
	for (; *s; s++)
		if (!isprint((unsigned char)*s) && *s != '\n' && *s != '\t')
			return false;
	return true;
}

/* A pointer with what it is known to point to: a string, or a function or variable. */
static void put_pointer(struct printer *p, Dwarf_Die *pointer, uint64_t address)
{
	Dwarf_Die target;
	char s[MAX_STRING + 1];

	fprintf(p->out, "0x%" PRIx64, address);
	if (!address)
		return;
	if (dwarf_plain_type_of(pointer, &target) && is_char(&target)) {
		struct error *err = memory_read_string(p->symbols->memory, address, s, sizeof(s));
		if (!err && is_text(s)) {
			fputc(' ', p->out);
			put_string(p, s, sizeof(s));
		}
		error_destroy(err);
		return;
	}
	struct symbol symbol = symbols_lookup(p->symbols, address);
	if (!symbol.name)
		return;
	fprintf(p->out, " <%s", symbol.name);
	if (address > symbol.start)
		fprintf(p->out, "+0x%" PRIx64, address - symbol.start);
	fputc('>', p->out);
}

static void put_number(struct printer *p, uint64_t bits, unsigned int nr_bits, uint64_t encoding)
{
	/* More than one bit of it may be set where the compiler keeps it among others and tests just one. */
	if (encoding == DW_ATE_boolean)
		fputs(bits ? "true" : "false", p->out);
	else if (encoding == DW_ATE_signed || encoding == DW_ATE_signed_char)
		fprintf(p->out, "%" PRId64, extend(bits, nr_bits));
	else
		fprintf(p->out, "%" PRIu64, bits);
}

static void put_base(struct printer *p, Dwarf_Die *type, const struct value_bytes *value,
		     uint64_t size)
{
	uint64_t encoding = 0;

	dwarf_number(type, DW_AT_encoding, &encoding);
	if (size > 8) {
		fputs("0x", p->out);
		for (uint64_t i = size; i--;)
			fprintf(p->out, "%02x", value->bytes[i]);
		return;
	}
	uint64_t bits = get_unsigned(value, size);
	double d;
	float f;
	memcpy(&d, &bits, sizeof(d));
	memcpy(&f, &bits, sizeof(f));
	if (encoding == DW_ATE_float && size == sizeof(d))
		fprintf(p->out, "%g", d);
	else if (encoding == DW_ATE_float && size == sizeof(f))
		fprintf(p->out, "%g", (double)f);
	else
		put_number(p, bits, 8 * size, encoding);
}

static void put_enum(struct printer *p, Dwarf_Die *type, uint64_t bits, unsigned int nr_bits)
{
	Dwarf_Die die;
	unsigned int count = 0;

	if (!dwarf_child(type, &die))
		do {
			Dwarf_Attribute attribute;
			Dwarf_Sword number;
			if (dwarf_tag(&die) == DW_TAG_enumerator &&
			    dwarf_attr(&die, DW_AT_const_value, &attribute) &&
			    !dwarf_formsdata(&attribute, &number) &&
			    extend(number, nr_bits) == extend(bits, nr_bits) &&
			    dwarf_diename(&die)) {
				fputs(dwarf_diename(&die), p->out);
				return;
			}
		} while (++count < MAX_ENUMERATORS && !dwarf_siblingof(&die, &die));
	fprintf(p->out, "%" PRIu64, bits);
}

/* A member that is a bit field: its bits, counted from the beginning of the struct. */
static bool put_bit_field(struct printer *p, Dwarf_Die *member, const struct value_bytes *value)
{
	uint64_t nr_bits, at, start, size, encoding = 0, bits = 0;
	Dwarf_Die type;

	if (!dwarf_number(member, DW_AT_bit_size, &nr_bits))
		return false;
	if (!dwarf_number(member, DW_AT_data_bit_offset, &at)) {
		/* Up to DWARF 3, from the highest bit of a unit of storage. */
		uint64_t from_top;
		if (!dwarf_number(member, DW_AT_data_member_location, &start) ||
		    !dwarf_number(member, DW_AT_bit_offset, &from_top) ||
		    !dwarf_plain_type_of(member, &type) || !dwarf_type_size(&type, &size) ||
		    from_top + nr_bits > 8 * size)
			return false;
		at = 8 * start + 8 * size - from_top - nr_bits;
	}
	if (!nr_bits || nr_bits > 57 || at / 8 > value->size)
		return false;
	size = (at % 8 + nr_bits + 7) / 8;
	const struct value_bytes field = { value->bytes + at / 8, value->known + at / 8,
					   value->size - at / 8 };
	if (!is_known(&field, size)) {
		fputs("<optimized out>", p->out);
		return true;
	}
	bits = get_unsigned(&field, size) >> at % 8 & ((1ull << nr_bits) - 1);
	if (dwarf_plain_type_of(member, &type) && dwarf_tag(&type) == DW_TAG_enumeration_type) {
		put_enum(p, &type, bits, nr_bits);
		return true;
	}
	if (dwarf_plain_type_of(member, &type))
		dwarf_number(&type, DW_AT_encoding, &encoding);
	put_number(p, bits, nr_bits, encoding);
	return true;
}

static void put_member(struct printer *p, Dwarf_Die *member, const struct value_bytes *value)
{
	const char *name = dwarf_diename(member);
	uint64_t offset = 0;

	if (name)
		fprintf(p->out, "%s = ", name);
	if (put_bit_field(p, member, value))
		return;
	dwarf_number(member, DW_AT_data_member_location, &offset); /* a union's have none */
	if (offset >= value->size) {
		fputs("...", p->out);
		return;
	}
	const struct value_bytes its = { value->bytes + offset, value->known + offset,
					 value->size - offset };
	/* What has no name counts as the struct's own. */
	p->structs -= !name;
	put_value(p, member, &its);
	p->structs += !name;
}

static void put_struct(struct printer *p, Dwarf_Die *type, const struct value_bytes *value)
{
	Dwarf_Die die;
	unsigned int count = 0;

	if (p->structs) {
		fputs("{...}", p->out);
		return;
	}
	p->structs++;
	fputc('{', p->out);
	if (!dwarf_child(type, &die))
		do {
			if (dwarf_tag(&die) != DW_TAG_member)
				continue;
			if (count)
				fputs(", ", p->out);
			if (count++ == MAX_MEMBERS) {
				fputs("...", p->out);
				break;
			}
			put_member(p, &die, value);
		} while (!dwarf_siblingof(&die, &die));
	fputc('}', p->out);
	p->structs--;
}

static void put_array(struct printer *p, Dwarf_Die *array, const struct value_bytes *value,
		      uint64_t size)
{
	Dwarf_Die element;
	uint64_t stride;
	size_t present = value->size < size ? value->size : size;

	if (!dwarf_plain_type_of(array, &element) || !dwarf_type_size(&element, &stride) ||
	    !stride) {
		fputs("{...}", p->out);
		return;
	}
	if (is_char(&element) && is_known(value, present)) {
		put_string(p, (const char *)value->bytes, present);
		return;
	}
	fputc('{', p->out);
	for (uint64_t i = 0; i < size / stride; i++) {
		const struct value_bytes its = { value->bytes + i * stride,
						 value->known + i * stride,
						 value->size - i * stride };
		if (i)
			fputs(", ", p->out);
		if (i == MAX_ELEMENTS || (i + 1) * stride > value->size) {
			fputs("...", p->out);
			break;
		}
		put_value(p, array, &its);
	}
	fputc('}', p->out);
}

static void put_value(struct printer *p, Dwarf_Die *die, const struct value_bytes *value)
{
	Dwarf_Die type;
	uint64_t size;

	if (p->depth >= MAX_DEPTH || p->values++ >= MAX_VALUES ||
	    !dwarf_plain_type_of(die, &type) || !dwarf_type_size(&type, &size)) {
		fputs("{...}", p->out);
		return;
	}
	int tag = dwarf_tag(&type);
	p->depth++;
	if (tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type)
		put_struct(p, &type, value);
	else if (tag == DW_TAG_array_type)
		put_array(p, &type, value, size);
	else if (!size || size > 16 || (size > 8 && tag != DW_TAG_base_type))
		fputs("{...}", p->out);
	else if (!is_known(value, size))
		fputs("<optimized out>", p->out);
	else if (tag == DW_TAG_pointer_type)
		put_pointer(p, &type, get_unsigned(value, size));
	else if (tag == DW_TAG_enumeration_type)
		put_enum(p, &type, get_unsigned(value, size), 8 * size);
	else
		put_base(p, &type, value, size);
	p->depth--;
}

void dwarf_print_value(struct symbols *symbols, Dwarf_Die *die, const struct value_bytes *value,
		       FILE *out)
{
	struct printer p = { .symbols = symbols, .out = out };

	put_value(&p, die, value);
}
