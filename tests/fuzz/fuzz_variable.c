// SPDX-License-Identifier: GPL-2.0-only
/*
 * A variable's type, and its value as text. The input is the entries of a unit, from offset 13 of .debug_info on;
 * the first is the variable. What each entry has is always the same, by its number:
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "debug_file.h"
#include "fuzz.h"
#include "symbols/dwarf_type.h"
#include "symbols/dwarf_value.h"

#define FIRST_AT 13

#define NAME				  DW_AT_name, DW_FORM_string
#define TYPE				  DW_AT_type, DW_FORM_ref4
#define SIZE_1				  DW_AT_byte_size, DW_FORM_data1
#define SIZE_2				  DW_AT_byte_size, DW_FORM_data2
#define PLACE				  DW_AT_data_member_location, DW_FORM_data2
#define BITS				  DW_AT_bit_size, DW_FORM_data1
#define ENTRY(number, tag, children, ...) number, DW_TAG_##tag, children, __VA_ARGS__, 0, 0

/* clang-format off */
static const uint8_t abbrevs[] = {
	1, DW_TAG_compile_unit, 1, 0, 0,
	ENTRY(2, variable, 0, NAME, TYPE),
	ENTRY(3, base_type, 0, NAME, SIZE_1, DW_AT_encoding, DW_FORM_data1),
	ENTRY(4, pointer_type, 0, TYPE),
	ENTRY(5, structure_type, 1, NAME, SIZE_2),
	ENTRY(6, member, 0, NAME, TYPE, PLACE),
	ENTRY(7, member, 0, NAME, TYPE, BITS, DW_AT_data_bit_offset, DW_FORM_data2),
	ENTRY(8, array_type, 1, TYPE),
	ENTRY(9, subrange_type, 0, DW_AT_upper_bound, DW_FORM_data2),
	ENTRY(10, typedef, 0, NAME, TYPE),
	ENTRY(11, const_type, 0, TYPE),
	ENTRY(12, enumeration_type, 1, NAME, SIZE_1),
	ENTRY(13, enumerator, 0, NAME, DW_AT_const_value, DW_FORM_sdata),
	ENTRY(14, subroutine_type, 1, TYPE),
	ENTRY(15, formal_parameter, 0, TYPE),
	ENTRY(16, subrange_type, 0, DW_AT_count, DW_FORM_data2),
	ENTRY(17, union_type, 1, NAME, SIZE_2),
	ENTRY(18, member, 0, TYPE, PLACE),
	ENTRY(19, volatile_type, 0, TYPE),
	ENTRY(20, member, 0, NAME, TYPE, BITS, DW_AT_bit_offset, DW_FORM_data1, PLACE),
	ENTRY(21, structure_type, 1, SIZE_2),
	ENTRY(22, unspecified_parameters, 0, SIZE_1),
	0,
};
/* clang-format on */

static const uint8_t head[FIRST_AT] = { 0, 0, 0, 0, 5, 0, DW_UT_compile, 8, 0, 0, 0, 0, 1 };

/* Words that are pointers, text and numbers in turn; of each 16th byte nothing is known. */
static void make_object(uint8_t bytes[VALUE_MAX_SIZE], bool known[VALUE_MAX_SIZE])
{
	static const uint64_t words[] = { FUZZ_VA + 8, 0x6f6c6c6568, 5, UINT64_MAX };

	for (size_t i = 0; i < VALUE_MAX_SIZE; i++) {
		memcpy(bytes + i, (const uint8_t *)words + i % sizeof(words), 1);
		known[i] = i < 64 || i % 16;
	}
}

static void print(struct kernel *kernel, Dwarf_Die *die)
{
	static uint8_t pattern[VALUE_MAX_SIZE];
	static bool is_known[VALUE_MAX_SIZE];
	char name[TYPE_NAME_SIZE], *text = NULL;
	uint64_t size;
	size_t text_size;
	Dwarf_Die type;

	dwarf_type_name(die, name);
	fuzz_touch(name, strlen(name));
	if (!dwarf_plain_type_of(die, &type) || !dwarf_type_size(&type, &size))
		return;
	if (!pattern[0])
		make_object(pattern, is_known);
	if (size > VALUE_MAX_SIZE)
		size = VALUE_MAX_SIZE;
	/* Of their own, so that one byte too far is seen. */
	uint8_t *bytes = malloc(size + 1);
	bool *known = malloc(size + 1);
	const struct value_bytes value = { bytes + 1, known + 1, size };
	FILE *out = open_memstream(&text, &text_size);
	memcpy(bytes + 1, pattern, size);
	memcpy(known + 1, is_known, size);
	dwarf_print_value(&kernel->symbols, die, &value, out);
	fclose(out);
	fuzz_touch(text, text_size);
	free(text);
	free(bytes);
	free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char input[] = "\0pointer text";
	static uint8_t info[8192];
	static struct fuzz_debug_file file;
	static struct kernel *kernel;
	Dwarf_Die die;

	if (!kernel)
		kernel = fuzz_kernel(fuzz_base_kernel("tests/fuzz/generated.kernel"),
				     (const uint8_t *)input, sizeof(input));
	if (!kernel || size > sizeof(info) - sizeof(head))
		return 0;
	memcpy(info, head, sizeof(head));
	memcpy(info + sizeof(head), data, size);
	memcpy(info, &(uint32_t){ sizeof(head) + size - 4 }, 4);
	const struct fuzz_section abbrev = { abbrevs, sizeof(abbrevs) },
				  infos = { info, sizeof(head) + size };
	Dwarf *dwarf = fuzz_debug_open(&file, &abbrev, &infos, NULL);
	if (dwarf_offdie(dwarf, FIRST_AT, &die))
		print(kernel, &die);
	fuzz_debug_close(&file, dwarf);
	return 0;
}
