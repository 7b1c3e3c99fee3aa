// SPDX-License-Identifier: GPL-2.0-only
/* BTF with holes, beside the same BTF without. */
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/btf_mend.h"
#include "symbols/types.h"
#include "make_dump.h"
#include "test.h"

#define NR_TYPES 30000
#define HOLE	 4096

struct blob {
	uint8_t *data;
	size_t size, types_at, types_size, strings_at, strings_size;
};

static size_t put(uint8_t *to, const void *from, size_t size)
{
	if (to)
		memcpy(to, from, size);
	return size;
}

/*
 * As a kernel's, in little: structs s1, s2, ... whose member m has the offset of the struct's number, typedefs,
 * enums, prototypes with some parameters, and functions with those prototypes. Returns the size of the types.
 */
static size_t write_types(uint8_t *to, uint32_t name_of_m)
{
	uint32_t random = 1, proto = 0;
	size_t at = 0;

#define PUT(value) (at += put(to ? to + at : NULL, &(value), sizeof(value)))
	for (uint32_t id = 1; id <= NR_TYPES; id++) {
		struct btf_type type = { .info = BTF_KIND_STRUCT << 24 | 1, .size = 8 };
		random = random * 1103515245 + 12345;
		uint32_t kind = (random >> 16) % 7, vlen = (random >> 20) % 5;
		if (id == 1) {
			uint32_t bits = 64;
			type = (struct btf_type){ .info = BTF_KIND_INT << 24, .size = 8 };
			PUT(type);
			PUT(bits);
		} else if (kind == 3 && proto) {
			type.info = BTF_KIND_FUNC << 24;
			type.type = proto;
			PUT(type);
		} else if (kind == 2) {
			struct btf_param param = { .type = 1 };
			type.info = BTF_KIND_FUNC_PROTO << 24 | vlen;
			type.type = 0;
			proto = id;
			PUT(type);
			for (uint32_t i = 0; i < vlen; i++)
				PUT(param);
		} else if (kind == 5) {
			struct btf_enum value = { .val = id << 20 };
			type.info = BTF_KIND_ENUM << 24 | vlen;
			type.size = 4;
			PUT(type);
			for (uint32_t i = 0; i < vlen; i++)
				PUT(value);
		} else {
			struct btf_member member = { name_of_m, 1, id * 8 };
			type.name_off = name_of_m + 2 + id * 8;
			type.size = id + 8;
			PUT(type);
			PUT(member);
		}
	}
#undef PUT
	return at;
}

/* Makes room for types and strings of those sizes, behind their header; returns the strings. */
static char *make_room(struct blob *blob, uint32_t types_size, uint32_t strings_size)
{
	const struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = 1,
		.hdr_len = sizeof(header),
		.type_len = types_size,
		.str_off = types_size,
		.str_len = strings_size,
	};

	blob->types_at = sizeof(header);
	blob->types_size = types_size;
	blob->strings_at = sizeof(header) + types_size;
	blob->strings_size = strings_size;
	blob->size = blob->strings_at + strings_size;
	blob->data = calloc(1, blob->size);
	assert_non_null(blob->data);
	memcpy(blob->data, &header, sizeof(header));
	return (char *)blob->data + blob->strings_at;
}

static void make_blob(struct blob *blob)
{
	char *strings = make_room(blob, write_types(NULL, 1), 3 + (NR_TYPES + 1) * 8);

	write_types(blob->data + blob->types_at, 1);
	strcpy(strings + 1, "m");
	for (uint32_t id = 1; id <= NR_TYPES; id++)
		snprintf(strings + 3 + id * 8, 8, "s%u", id);
}

/* Parses @blob with those holes. */
static struct types *mended(const struct blob *blob, const size_t *at, size_t count)
{
	struct holes holes = {};
	struct types *types = NULL;
	uint8_t *data = malloc(blob->size);

	assert_non_null(data);
	memcpy(data, blob->data, blob->size);
	for (size_t i = 0; i < count; i++) {
		size_t end = at[i] + HOLE < blob->size ? at[i] + HOLE : blob->size;
		struct hole *hole = vector_push(&holes.list);
		assert_non_null(hole);
		*hole = (struct hole){ at[i], end };
		memset(data + at[i], 0, end - at[i]);
	}
	assert_no_error(btf_mend(data, blob->size, &holes));
	holes_deinit(&holes);
	assert_no_error(types_parse(data, blob->size, &types));
	return types;
}

/* How many structs have what they should; none may have anything else. */
static uint32_t count_right(const struct types *types)
{
	uint32_t right = 0;

	for (uint32_t id = 1; id <= NR_TYPES; id++) {
		struct member member;
		char name[16];
		snprintf(name, sizeof(name), "s%u", id);
		if (!types_member(types, name, "m", &member))
			continue;
		assert_int_equal(member.offset, id);
		assert_int_equal(member.size, 8);
		right++;
	}
	return right;
}

static void holes_in_the_types(void **state)
{
	struct blob blob;

	(void)state;
	make_blob(&blob);
	struct types *types = mended(&blob, NULL, 0);
	uint32_t whole = count_right(types);
	types_destroy(types);
	for (size_t first = blob.types_at + 300; first + 9 * HOLE < blob.types_size;
	     first += 70001) {
		/* Two of them too near to each other to tell what is between. */
		const size_t at[] = { first, first + HOLE + 600, first + 8 * HOLE };
		types = mended(&blob, at, 3);
		uint32_t right = count_right(types);
		types_destroy(types);
		assert_true(right < whole);
		assert_true(right > whole - 3 * HOLE / 24 - 100);
	}
	free(blob.data);
}

#define NR_MEMBERS 1200

/* Types of which no function says anything, and a struct "s" of three pages among them. */
static size_t write_large(uint8_t *to, uint32_t name_of_m, uint32_t name_of_s)
{
	const struct btf_type integer = { .info = BTF_KIND_INT << 24, .size = 4 };
	const struct btf_type large = { name_of_s,
					BTF_KIND_STRUCT << 24 | NR_MEMBERS,
					{ .size = NR_MEMBERS * 8 } };
	const struct btf_type end = { .info = BTF_KIND_STRUCT << 24 | 1, .size = 4 };
	uint32_t bits = 32;
	size_t at = 0;

#define PUT(value) (at += put(to ? to + at : NULL, &(value), sizeof(value)))
	PUT(integer);
	PUT(bits);
	for (uint32_t id = 2; id < 600; id++) {
		const struct btf_type type = { .info = (id % 3 ? BTF_KIND_PTR : BTF_KIND_TYPEDEF)
						       << 24,
					       .type = 1 };
		PUT(type);
	}
	PUT(large);
	for (uint32_t i = 0; i < NR_MEMBERS; i++) {
		/* Pointers have just the room that they need; typedefs have more. */
		struct btf_member member = { name_of_m + 5 * i, i % 3 ? 1 : 2 + i % 598, i * 64 };
		PUT(member);
	}
	for (uint32_t id = 601; id < 1200; id++) {
		struct btf_member member = { name_of_m, 1, 0 };
		PUT(end);
		PUT(member);
	}
#undef PUT
	return at;
}

static void make_large(struct blob *blob)
{
	char *strings = make_room(blob, write_large(NULL, 0, 0), 3 + NR_MEMBERS * 5);

	write_large(blob->data + blob->types_at, 3, 1);
	strings[1] = 's';
	for (uint32_t i = 0; i < NR_MEMBERS; i++)
		snprintf(strings + 3 + i * 5, 5, "%04u", i);
}

static uint32_t count_members(const struct types *types)
{
	uint32_t right = 0;

	for (uint32_t i = 0; i < NR_MEMBERS; i++) {
		struct member member;
		char name[16];
		snprintf(name, sizeof(name), "%04u", i);
		if (!types_member(types, "s", name, &member))
			continue;
		assert_int_equal(member.offset, i * 8);
		right++;
	}
	return right;
}

static void members_in_a_hole(void **state)
{
	struct blob blob;
	const uint32_t in_hole = HOLE / sizeof(struct btf_member);

	(void)state;
	make_large(&blob);
	/* In the middle, and over the end: all other members are there. */
	for (size_t into = 1000; into < 14000; into += 997) {
		const size_t at = blob.types_at + 16 + 598 * 12 + into;
		struct types *types = mended(&blob, &at, 1);
		uint32_t right = count_members(types);
		assert_true(right >= NR_MEMBERS - in_hole - 2);
		assert_true(into > 10300 || right <= NR_MEMBERS - in_hole + 1);
		types_destroy(types);
	}
	free(blob.data);
}

static void holes_in_the_strings(void **state)
{
	struct blob blob;

	(void)state;
	make_blob(&blob);
	for (size_t at = blob.strings_at + 100; at < blob.size; at += 33333) {
		struct types *types = mended(&blob, &at, 1);
		assert_true(count_right(types) > NR_TYPES / 2 - HOLE / 8 - 10);
		types_destroy(types);
	}
	free(blob.data);
}

static void a_hole_at_either_end(void **state)
{
	struct blob blob;
	struct holes holes = {};

	(void)state;
	make_blob(&blob);
	const size_t last = blob.types_at + blob.types_size - HOLE;
	struct types *types = mended(&blob, &last, 1);
	assert_true(count_right(types) > NR_TYPES / 2);
	types_destroy(types);
	const size_t first = blob.types_at;
	types = mended(&blob, &first, 1);
	/* The type of all members is lost, but not the room that they have. */
	assert_true(count_right(types) > NR_TYPES / 2 - HOLE / 24);
	types_destroy(types);
	/* The header itself, and once with what tells that the types' names are names. */
	const size_t header[] = { 0, blob.types_at + 2 * HOLE };
	for (size_t count = 1; count <= 2; count++) {
		types = mended(&blob, header, count);
		assert_true(count_right(types) > NR_TYPES / 2 - count * HOLE / 24 - 100);
		types_destroy(types);
	}
	/* The first page ended within the header: no type is lost. */
	memset(blob.data, 0, 8);
	struct holes part = { .error = error_fault(ERROR_EXCLUDED, 0x1000, "gone") };
	*vector_push(&part.list) = (struct hole){ 0, 8 };
	assert_no_error(btf_mend(blob.data, blob.size, &part));
	assert_int_equal(((struct btf_header *)blob.data)->magic, BTF_MAGIC);
	assert_int_equal(((struct btf_header *)blob.data)->type_len, blob.types_size);
	holes_deinit(&part);
	memset(blob.data + blob.strings_at, 'x', blob.strings_size);
	struct hole *hole = vector_push(&holes.list);
	*hole = (struct hole){ 0, 10 };
	holes.error = error_fault(ERROR_EXCLUDED, 0x1000, "gone");
	assert_fault(btf_mend(blob.data, blob.size, &holes), ERROR_EXCLUDED, 0x1000);
	holes_deinit(&holes);
	free(blob.data);
}

/* Whatever stands there, and wherever the holes are, it is mended or left alone. */
static void at_random(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		struct btf_header header = { .magic = BTF_MAGIC,
					     .version = 1,
					     .hdr_len = sizeof(header),
					     .type_len = 2000,
					     .str_off = 2000,
					     .str_len = 100 };
		size_t size = sizeof(header) + 2100;
		uint8_t *data = malloc(size);
		struct holes holes = {};
		struct types *types;
		assert_non_null(data);
		memcpy(data, &header, sizeof(header));
		for (size_t i = sizeof(header); i < size; i++) {
			random = random * 1103515245 + 12345;
			data[i] = i % 4 == 3 ? random >> 28 : random >> 16 & random >> 20;
		}
		for (size_t at = 40 + random % 500; at + 200 < size; at += 300 + random % 400) {
			struct hole *hole = vector_push(&holes.list);
			*hole = (struct hole){ at, at + 1 + random % 150 };
			memset(data + hole->start, 0, hole->end - hole->start);
		}
		holes.error = error_fault(ERROR_EXCLUDED, 0x1000, "gone");
		error_destroy(btf_mend(data, size, &holes));
		data[size - 1] = '\0';
		struct error *err = types_parse(data, size, &types);
		if (!err)
			types_destroy(types);
		error_destroy(err);
		holes_deinit(&holes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("holes in the types cost those in them, and no others", holes_in_the_types),
		TEST("a struct loses the members in a hole, and no others", members_in_a_hole),
		TEST("holes in the strings cost the names in them", holes_in_the_strings),
		TEST("a hole at either end costs what cannot be told", a_hole_at_either_end),
		TEST("nothing that is mended does harm", at_random),
	};
	return RUN_TESTS(tests);
}
