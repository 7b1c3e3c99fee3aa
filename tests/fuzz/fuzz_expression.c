// SPDX-License-Identifier: GPL-2.0-only
/*
 * DWARF expressions. The input is the size of the object, a byte, and the expression's bytes. The file around it is
 * always the same: a unit with five types, which the expression names by their offsets 17, 20, 23, 26 and 29, two
 * words in .debug_addr, and a variable whose location it is.
 */
#include <dwarf.h>
#include <string.h>

#include "debug_file.h"
#include "fuzz.h"
#include "symbols/dwarf_expression.h"

#define MAX_OBJECT     64
#define MAX_EXPRESSION 4096
#define VARIABLE_AT    32 /* its offset in .debug_info */

static const uint8_t abbrevs[] = {
	1,
	DW_TAG_compile_unit,
	1,
	DW_AT_addr_base,
	DW_FORM_sec_offset,
	0,
	0, /* code, tag, children */
	2,
	DW_TAG_base_type,
	0,
	DW_AT_byte_size,
	DW_FORM_data1,
	DW_AT_encoding,
	DW_FORM_data1,
	0,
	0,
	3,
	DW_TAG_variable,
	0,
	DW_AT_location,
	DW_FORM_exprloc,
	0,
	0,
	0,
};

static const uint8_t unit[] = {
	0,
	0,
	0,
	0,
	5,
	0,
	DW_UT_compile,
	8,
	0,
	0,
	0,
	0, /* length, version, kind, address size, abbrevs */
	1,
	8,
	0,
	0,
	0, /* the unit itself: .debug_addr from 8 on */
	2,
	4,
	DW_ATE_unsigned,
	2,
	4,
	DW_ATE_signed,
	2,
	1,
	DW_ATE_boolean,
	2,
	4,
	DW_ATE_float,
	2,
	16,
	DW_ATE_signed,
	3,
};

static const uint8_t addresses[] = {
	20, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0, 0xa0, 0xff, 0xff, 0xff, 0xff, 16, 0, 0, 0, 0, 0, 0, 0,
};

_Static_assert(sizeof(unit) == VARIABLE_AT + 1, "the variable is behind the types");

static size_t make_info(uint8_t ret[sizeof(unit) + MAX_EXPRESSION + 3], const uint8_t *expression,
			size_t size)
{
	size_t at = sizeof(unit);

	memcpy(ret, unit, sizeof(unit));
	ret[at++] = (size & 0x7f) | 0x80;
	ret[at++] = size >> 7;
	memcpy(ret + at, expression, size);
	at += size;
	ret[at++] = 0;
	memcpy(ret, &(uint32_t){ at - 4 }, 4);
	return at;
}

static bool read_register(void *data, unsigned int number, uint64_t *ret)
{
	(void)data;
	*ret = FUZZ_VA + number;
	return number < 17;
}

static bool frame_address(void *data, uint64_t *ret)
{
	(void)data;
	*ret = FUZZ_VA + 8;
	return true;
}

/* With nothing but the registers, as for the caller's frame. */
static bool entry_value(void *data, const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	struct expression_context context = { .memory = data, .read_register = read_register };

	return expression_word(&context, ops, count, false, ret);
}

static void evaluate(struct memory *memory, Dwarf_Attribute *attribute, size_t size)
{
	struct expression_context context = {
		.memory = memory,
		.bias = 0x10,
		.attribute = attribute,
		.data = memory,
		.read_register = read_register,
		.frame_address = frame_address,
		.frame_base = frame_address,
		.entry_value = entry_value,
	};
	uint8_t bytes[MAX_OBJECT];
	bool known[MAX_OBJECT];
	uint64_t word;
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation(attribute, &ops, &count))
		return;
	expression_read(&context, ops, count, bytes, known, size);
	for (size_t i = 0; i < size; i++)
		if (known[i])
			fuzz_touch(bytes + i, 1);
	if (expression_word(&context, ops, count, false, &word))
		fuzz_touch(&word, sizeof(word));
	expression_word(&context, ops, count, true, &word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char input[] = "\0memory that an expression reads";
	static struct made_memory memory;
	static struct fuzz_base *base;
	static uint8_t info[sizeof(unit) + MAX_EXPRESSION + 3];
	static struct fuzz_debug_file file;
	Dwarf_Attribute attribute;
	Dwarf_Die die;

	if (!base) {
		base = fuzz_base_kernel(NULL);
		fuzz_memory(base, (const uint8_t *)input, sizeof(input), &memory);
	}
	if (!size || size - 1 > MAX_EXPRESSION)
		return 0;
	const struct fuzz_section abbrev = { abbrevs, sizeof(abbrevs) },
				  address = { addresses, sizeof(addresses) },
				  infos = { info, make_info(info, data + 1, size - 1) };
	Dwarf *dwarf = fuzz_debug_open(&file, &abbrev, &infos, &address);
	if (dwarf_offdie(dwarf, VARIABLE_AT, &die) && dwarf_attr(&die, DW_AT_location, &attribute))
		evaluate(&memory.memory, &attribute, data[0] % (MAX_OBJECT + 1));
	fuzz_debug_close(&file, dwarf);
	return 0;
}
