// SPDX-License-Identifier: GPL-2.0-only
/* BTF written down word by word: what members it has, and what it may say that must do no harm. */
#include <linux/btf.h>
#include <string.h>

#include "make_kernel.h"
#include "symbols/types.h"
#include "test.h"

#define INFO(kind, vlen)   ((uint32_t)BTF_KIND_##kind << 24 | (vlen))
#define BIT_FIELDS	   0x80000000u
/* A member's offset in a struct with bit fields. */
#define BITS(offset, size) ((uint32_t)(size) << 24 | (offset))

/* Offsets in the strings below. */
static const char names[] = "\0u32\0a\0b\0c\0outer\0inner\0in\0list\0u64\0E\0ONE\0MINUS\0u128\0";
enum { U32 = 1, A = 5, B = 7, C = 9, OUTER = 11, INNER = 17, IN = 23, LIST = 26, U64 = 31 };
enum { E = 35, ONE = 37, MINUS = 41, U128 = 47 };

static struct error *parse(const uint32_t *words, size_t size, struct types **ret)
{
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = size,
		.str_off = size,
		.str_len = sizeof(names) - 1,
	};
	char *data = malloc(sizeof(header) + size + sizeof(names) - 1);

	assert_non_null(data);
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), words, size);
	memcpy(data + sizeof(header) + size, names, sizeof(names) - 1);
	return types_parse(data, sizeof(header) + size + sizeof(names) - 1, ret);
}

static struct types *parsed(const uint32_t *words, size_t size)
{
	struct types *types;

	assert_no_error(parse(words, size, &types));
	return types;
}

static void assert_member(const struct types *types, const char *path, uint32_t offset,
			  uint32_t size, uint32_t count)
{
	struct member member;

	if (!types_member(types, "outer", path, &member))
		fail_msg("no member %s", path);
	assert_int_equal(member.offset, offset);
	assert_int_equal(member.size, size);
	assert_int_equal(member.count, count);
}

static void members(void **state)
{
	const uint32_t words[] = {
		U32,
		INFO(INT, 0),
		4,
		32, /* 1: u32 */
		INNER,
		INFO(STRUCT, 2),
		8, /* 2: struct inner */
		A,
		1,
		0,
		B,
		1,
		32,
		0,
		INFO(UNION, 2),
		8, /* 3: an anonymous union */
		IN,
		2,
		0,
		C,
		1,
		0,
		0,
		INFO(STRUCT, 1),
		8, /* 4: an anonymous struct around it */
		0,
		3,
		0,
		0,
		INFO(ARRAY, 0),
		0,
		2,
		1,
		3, /* 5: struct inner[3] */
		0,
		INFO(ARRAY, 0),
		0,
		5,
		1,
		4, /* 6: [4][3] */
		0,
		INFO(CONST, 0),
		1, /* 7 */
		U64,
		INFO(TYPEDEF, 0),
		7, /* 8: typedef const u32 */
		0,
		INFO(PTR, 0),
		0, /* 9 */
		OUTER,
		INFO(STRUCT, 5),
		256, /* 10: struct outer */
		A,
		8,
		0,
		0,
		4,
		64,
		LIST,
		6,
		256,
		B,
		9,
		1024,
		U128,
		5,
		1088,
	};
	struct types *types = parsed(words, sizeof(words));
	struct member member;

	(void)state;
	assert_member(types, "a", 0, 4, 1);
	assert_member(types, "c", 8, 4, 1);
	assert_member(types, "in", 8, 8, 1);
	assert_member(types, "in.b", 12, 4, 1);
	assert_member(types, "list", 32, 8, 12);
	assert_member(types, "list.b", 36, 4, 1);
	assert_member(types, "b", 128, 8, 1);
	assert_member(types, "u128", 136, 8, 3);
	assert_member(types, "none|in.none|in.a", 8, 4, 1);
	assert_false(types_member(types, "outer", "in.none", &member));
	assert_int_equal(member.size, 0);
	assert_false(types_member(types, "outer", "", &member) && member.count);
	assert_false(types_member(types, "outer", "li", &member));
	assert_false(types_member(types, "outer", "lists", &member));
	assert_false(types_member(types, "outer", "a.b", &member));
	assert_false(types_member(types, "none", "a", &member));
	assert_false(types_member(types, "u32", "a", &member));
	assert_int_equal(types_sizeof(types, "outer"), 256);
	assert_int_equal(types_sizeof(types, "inner"), 8);
	assert_int_equal(types_sizeof(types, "none"), 0);
	types_destroy(types);
}

static void bit_fields(void **state)
{
	const uint32_t words[] = {
		U32,
		INFO(INT, 0),
		4,
		32,
		U64,
		INFO(INT, 0),
		8,
		64,
		OUTER,
		INFO(STRUCT, 5) | BIT_FIELDS,
		24,
		A,
		1,
		BITS(0, 0),
		B,
		1,
		BITS(35, 5),
		C,
		1,
		BITS(63, 1),
		IN,
		2,
		BITS(64, 64),
		/* Packed, over the end of its unit: no such read is known, and none is made up. */
		LIST,
		1,
		BITS(150, 20),
	};
	struct types *types = parsed(words, sizeof(words));
	struct make_kernel k;
	struct made_memory m;
	struct member member;
	uint64_t value;

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(
		&k, "at 0xffff888000000000\n u32 0x11223344 0x800000a8\n u64 0x123456789abcdef0\n");
	make_kernel_open_memory(&k, &m);
	assert_true(types_member(types, "outer", "a", &member));
	assert_no_error(member_read(&m.memory, 0xffff888000000000, &member, &value));
	assert_int_equal(value, 0x11223344);
	assert_true(types_member(types, "outer", "b", &member));
	assert_int_equal(member.offset, 4);
	assert_int_equal(member.bit_offset, 3);
	assert_no_error(member_read(&m.memory, 0xffff888000000000, &member, &value));
	assert_int_equal(value, 0x15);
	assert_true(types_member(types, "outer", "c", &member));
	assert_no_error(member_read(&m.memory, 0xffff888000000000, &member, &value));
	assert_int_equal(value, 1);
	assert_true(types_member(types, "outer", "in", &member));
	assert_no_error(member_read(&m.memory, 0xffff888000000000, &member, &value));
	assert_true(value == 0x123456789abcdef0);
	assert_false(types_member(types, "outer", "list", &member));
	made_memory_close(&m);
	make_kernel_deinit(&k);
	types_destroy(types);
}

static void enumerators(void **state)
{
	const uint32_t words[] = {
		E,
		INFO(ENUM, 2) | BIT_FIELDS,
		4,
		ONE,
		1,
		MINUS,
		0xffffffff,
		OUTER,
		INFO(ENUM64, 2),
		8,
		ONE,
		1,
		1,
		MINUS,
		0xffffffff,
		0xffffffff,
		INNER,
		INFO(STRUCT, 0),
		0,
	};
	struct types *types = parsed(words, sizeof(words));
	int64_t value;

	(void)state;
	assert_true(types_enumerator(types, "E", "ONE", &value));
	assert_int_equal(value, 1);
	assert_true(types_enumerator(types, "E", "MINUS", &value));
	assert_true(value == -1);
	assert_true(types_enumerator(types, "outer", "ONE", &value));
	assert_true(value == 0x100000001);
	assert_true(types_enumerator(types, "outer", "MINUS", &value));
	assert_true(value == -1);
	assert_false(types_enumerator(types, "E", "a", &value));
	assert_false(types_enumerator(types, "inner", "ONE", &value));
	assert_false(types_enumerator(types, "none", "ONE", &value));
	types_destroy(types);
}

/* Types that are made of themselves: every search ends, and finds nothing that is not there. */
static void circles(void **state)
{
	const uint32_t words[] = {
		OUTER,
		INFO(STRUCT, 3),
		8, /* 1: contains itself, with a name and without */
		A,
		1,
		0,
		0,
		1,
		0,
		0,
		2,
		0,
		0,
		INFO(UNION, 4),
		8, /* 2: contains itself, four times over */
		0,
		2,
		0,
		0,
		2,
		0,
		0,
		1,
		0,
		0,
		2,
		0,
		INNER,
		INFO(STRUCT, 5),
		8, /* 3 */
		A,
		4,
		0,
		B,
		6,
		0,
		C,
		7,
		0,
		IN,
		99,
		0,
		LIST,
		0,
		0,
		U32,
		INFO(TYPEDEF, 0),
		5, /* 4: a typedef of 5 of 4 */
		U64,
		INFO(TYPEDEF, 0),
		4, /* 5 */
		0,
		INFO(ARRAY, 0),
		0,
		6,
		6,
		2, /* 6: an array of itself */
		0,
		INFO(CONST, 0),
		7, /* 7: const of itself */
	};
	struct types *types = parsed(words, sizeof(words));
	struct member member;

	(void)state;
	assert_member(types, "a", 0, 8, 1);
	assert_member(types, "a.a.a.a.a.a.a.a", 0, 8, 1);
	assert_false(types_member(types, "outer", "b", &member));
	assert_false(types_member(types, "outer", "a.a.a.b", &member));
	for (const char *path = "a\0b\0c\0in\0list\0"; *path; path += strlen(path) + 1)
		assert_false(types_member(types, "inner", path, &member));
	types_destroy(types);
}

static void hostile_sizes(void **state)
{
	const uint32_t words[] = {
		U32,
		INFO(INT, 0),
		4,
		32,
		OUTER,
		INFO(STRUCT, 4),
		0xffffffff, /* 2 */
		A,
		2,
		0xffffffff,
		B,
		3,
		0xfffffff8,
		C,
		4,
		0,
		IN,
		5,
		0,
		0,
		INFO(ARRAY, 0),
		0,
		1,
		1,
		0xffffffff, /* 3 */
		0,
		INFO(ARRAY, 0),
		0,
		3,
		1,
		0xffffffff, /* 4 */
		INNER,
		INFO(STRUCT, 2) | BIT_FIELDS,
		0x20000000, /* 5 */
		A,
		5,
		BITS(0xffffff, 255),
		B,
		1,
		BITS(0xffffff, 33),
	};
	struct types *types = parsed(words, sizeof(words));
	struct member member;
	uint64_t value;

	(void)state;
	assert_true(types_member(types, "outer", "a.a.a.a.a.a.a", &member));
	assert_error(member_read(NULL, 0, &member, &value), ERROR_NOT_FOUND, "no number");
	assert_true(value == 0);
	assert_true(types_member(types, "outer", "b", &member));
	types_member(types, "outer", "c", &member);
	assert_false(types_member(types, "inner", "b", &member));
	assert_error(member_read(NULL, 0, &member, &value), ERROR_NOT_FOUND, "no number");
	assert_int_equal(types_sizeof(types, "outer"), UINT32_MAX);
	types_destroy(types);
}

/* A path through 9 structs of 9 anonymous structs each would take 9^9 steps. */
static void searches_are_bounded(void **state)
{
	uint32_t words[64 * (3 + 3 * 9)], *at = words;
	struct types *types;
	struct member member;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		*at++ = i ? 0 : OUTER;
		*at++ = INFO(STRUCT, 9);
		*at++ = 8;
		for (int n = 0; n < 9; n++) {
			*at++ = 0;
			*at++ = i + 2 <= 64 ? i + 2 : 1;
			*at++ = 0;
		}
	}
	types = parsed(words, sizeof(words));
	assert_false(types_member(types, "outer", "a", &member));
	types_destroy(types);
}

static void many_structs_of_one_name(void **state)
{
	enum { COUNT = 300000 };
	static uint32_t words[COUNT * 3];
	struct types *types;
	struct member member;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		words[3 * i] = i % 2 ? OUTER : INNER;
		words[3 * i + 1] = INFO(STRUCT, 0);
	}
	types = parsed(words, sizeof(words));
	assert_int_equal(types_sizeof(types, "none"), 0);
	assert_false(types_member(types, "outer", "a", &member));
	types_destroy(types);
}

/* As many names as the hash had room for when only structs with members were counted: 1024. */
static void many_names_of_empty_structs(void **state)
{
	enum { COUNT = 3000 };
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = COUNT * 12,
		.str_off = COUNT * 12,
		.str_len = COUNT + 2,
	};
	char *data = calloc(1, sizeof(header) + COUNT * 13 + 2);
	struct types *types;

	(void)state;
	assert_non_null(data);
	memcpy(data, &header, sizeof(header));
	/* Each name is the end of one string of x. */
	memset(data + sizeof(header) + COUNT * 12 + 1, 'x', COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		const uint32_t words[] = { i + 1, INFO(STRUCT, 0), i };
		memcpy(data + sizeof(header) + i * 12, words, sizeof(words));
	}
	assert_no_error(types_parse(data, sizeof(header) + COUNT * 13 + 2, &types));
	assert_int_equal(types_sizeof(types, "x"), COUNT - 1);
	assert_int_equal(types_sizeof(types, "xxx"), COUNT - 3);
	assert_int_equal(types_sizeof(types, "none"), 0);
	types_destroy(types);
}

static void what_is_cut_off(void **state)
{
	const uint32_t words[] = {
		U32, INFO(INT, 0), 4, 32, OUTER, INFO(STRUCT, 2), 8, A, 1, 0, B, 1, 32,
	};
	struct types *types;

	(void)state;
	for (size_t size = 0; size < sizeof(words); size++) {
		struct error *err = parse(words, size, &types);
		if (size == 0 || size == 16) {
			assert_no_error(err);
			assert_int_equal(types_sizeof(types, "outer"), 0);
			types_destroy(types);
		} else {
			assert_error(err, ERROR_CORRUPT, "cut off");
		}
	}
}

static void unknown_kinds(void **state)
{
	static const uint32_t kinds[] = { 0, BTF_KIND_ENUM64 + 1, 31 };
	struct types *types;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const uint32_t words[] = { U32, kinds[i] << 24, 4, 32 };
		assert_error(parse(words, sizeof(words), &types), ERROR_CORRUPT, "unknown kind");
	}
}

static void hostile_headers(void **state)
{
	static const struct btf_header good = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(good),
		.type_len = 16,
		.str_off = 16,
		.str_len = 5,
	};
	static const uint32_t values[] = { 0, 1, 3, 4, 5, 23, 25, 28, 100, 0x7fffffff, 0xffffffff };

	(void)state;
	for (size_t field = 0; field < sizeof(good) / 4; field++) {
		for (size_t i = 0; i < sizeof(values) / 4; i++) {
			const uint32_t type[] = { U32, INFO(INT, 0), 4, 32 };
			size_t size = sizeof(good) + 21;
			struct types *types;
			char *data = malloc(size);
			assert_non_null(data);
			memcpy(data, &good, sizeof(good));
			memcpy(data + 4 * field, &values[i], 4);
			memcpy(data + sizeof(good), type, sizeof(type));
			memcpy(data + sizeof(good) + 16, "\0u32", 5);
			struct error *err = types_parse(data, size, &types);
			if (!err)
				types_destroy(types);
			error_destroy(err);
		}
	}
	for (size_t size = 0; size < sizeof(good); size++) {
		struct types *types;
		char *data = malloc(size + 1);
		assert_non_null(data);
		memcpy(data, &good, size);
		assert_error(types_parse(data, size, &types), ERROR_CORRUPT, "no BTF");
	}
}

static void names_outside_the_strings(void **state)
{
	const uint32_t words[] = {
		0xffffffff,    INFO(STRUCT, 1), 8, 0x7fffffff, 1, 0,
		sizeof(names), INFO(ENUM, 1),	4, 0xffffffff, 1,
	};
	struct types *types = parsed(words, sizeof(words));
	struct member member;
	int64_t value;

	(void)state;
	types_member(types, "", "", &member);
	types_enumerator(types, "", "", &value);
	assert_false(types_member(types, "outer", "a", &member));
	types_destroy(types);
}

static void what_is_wanted_is_named(void **state)
{
	const uint32_t words[] = {
		U32, INFO(INT, 0), 4, 32, OUTER, INFO(STRUCT, 2), 8, A, 1, 0, B, 1, 32,
	};
	struct types *types = parsed(words, sizeof(words));
	struct member a, b, c;
	const struct member_wanted wanted[] = {
		{ "outer", "a", &a },
		{ "outer", "none|b", &b },
		{ "outer", "c", &c, true },
	};
	const struct member_wanted missing = { "outer", "c|in", &c };

	(void)state;
	assert_no_error(types_resolve(types, wanted, 3));
	assert_int_equal(b.offset, 4);
	assert_int_equal(c.size, 0);
	assert_error(types_resolve(types, &missing, 1), ERROR_NOT_FOUND,
		     "struct outer has no member c");
	types_destroy(types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("members: through anonymous unions, typedefs and arrays", members),
		TEST("bit fields are read out of the unit of their type", bit_fields),
		TEST("enumerators of 32 and 64 bits, also below 0", enumerators),
		TEST("types that contain themselves end every search", circles),
		TEST("hostile sizes and offsets are no number", hostile_sizes),
		TEST("a search through nested anonymous structs is bounded", searches_are_bounded),
		TEST("thousands of structs of one name cost no time", many_structs_of_one_name),
		TEST("thousands of names of empty structs have room in the hash",
		     many_names_of_empty_structs),
		TEST("types that are cut off are refused", what_is_cut_off),
		TEST("a kind that is not known is refused", unknown_kinds),
		TEST("a hostile header is no crash", hostile_headers),
		TEST("names outside of the strings are empty", names_outside_the_strings),
		TEST("a member that is needed and absent is named", what_is_wanted_is_named),
	};
	return RUN_TESTS(tests);
}
