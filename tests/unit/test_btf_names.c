// SPDX-License-Identifier: GPL-2.0-only
/* Names of BTF that were in a page that is missing, and are put back. */
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/btf_names.h"
#include "symbols/types.h"
#include "make_dump.h"
#include "test.h"

/* The types of a kernel's task list, in little: enough that their names follow from their lengths and sizes. */
struct blob {
	uint8_t types[4096];
	size_t size;
	char strings[4096];
	size_t strings_size;
};

enum { U32 = 1, U64, U16, LIST, THREAD, CHARS, CHAR, TASK, SIGNAL };

static uint32_t put_name(struct blob *b, const char *name)
{
	char *found = NULL;

	for (size_t at = 1; at < b->strings_size && !found; at += strlen(b->strings + at) + 1)
		if (!strcmp(b->strings + at, name))
			found = b->strings + at;
	if (!found) {
		found = strcpy(b->strings + b->strings_size, name);
		b->strings_size += strlen(name) + 1;
	}
	return found - b->strings;
}

static void put(struct blob *b, const void *data, size_t size)
{
	memcpy(b->types + b->size, data, size);
	b->size += size;
}

static void put_type(struct blob *b, const char *name, uint32_t kind, uint32_t vlen, uint32_t size)
{
	const struct btf_type type = { *name ? put_name(b, name) : 0,
				       kind << 24 | vlen,
				       { .size = size } };

	put(b, &type, sizeof(type));
}

static void put_member(struct blob *b, const char *name, uint32_t type, uint32_t offset)
{
	const struct btf_member member = { *name ? put_name(b, name) : 0, type, offset * 8 };

	put(b, &member, sizeof(member));
}

static void put_int(struct blob *b, const char *name, uint32_t size)
{
	const uint32_t bits = size * 8;

	put_type(b, name, BTF_KIND_INT, 0, size);
	put(b, &bits, sizeof(bits));
}

static void make_types(struct blob *b)
{
	const struct btf_array array = { CHAR, U32, 16 };

	memset(b, 0, sizeof(*b));
	b->strings_size = 1;
	put_int(b, "unsigned int", 4);
	put_int(b, "unsigned long", 8);
	put_int(b, "short", 2);
	put_type(b, "list_head", BTF_KIND_STRUCT, 2, 16);
	put_member(b, "next", U64, 0);
	put_member(b, "prev", U64, 8);
	put_type(b, "thread_struct", BTF_KIND_STRUCT, 5, 160);
	put_member(b, "sp", U64, 24);
	put_member(b, "es", U16, 32);
	put_member(b, "ds", U16, 34);
	put_member(b, "fsbase", U64, 40);
	put_member(b, "gsbase", U64, 48);
	put_type(b, "", BTF_KIND_ARRAY, 0, 0);
	put(b, &array, sizeof(array));
	put_int(b, "char", 1);
	put_type(b, "task_struct", BTF_KIND_STRUCT, 13, 400);
	put_member(b, "stack", U64, 0);
	put_member(b, "usage", U32, 8);
	put_member(b, "flags", U32, 12);
	put_member(b, "ptrace", U32, 16);
	put_member(b, "prios", U64, 24); /* of "stack"'s length and size */
	put_member(b, "tasks", LIST, 32);
	put_member(b, "pid", U32, 48);
	put_member(b, "tgid", U32, 52);
	put_member(b, "prio", U32, 56); /* as "tgid" */
	put_member(b, "comm", CHARS, 64);
	put_member(b, "signal", U64, 80);
	put_member(b, "sighand", U64, 88);
	put_member(b, "thread", THREAD, 96);
	put_type(b, "signal_struct", BTF_KIND_STRUCT, 3, 100);
	put_member(b, "nr_threads", U32, 0);
	put_member(b, "thread_head", LIST, 8);
	put_member(b, "wait_chldexit", LIST, 24);
}

/* Parses the types after the strings [@from, @to) are lost. */
static struct types *parse(const struct blob *b, size_t from, size_t to)
{
	struct btf_header header = { .magic = BTF_MAGIC,
				     .version = BTF_VERSION,
				     .hdr_len = sizeof(header),
				     .type_len = b->size,
				     .str_off = b->size,
				     .str_len = b->strings_size };
	size_t size = sizeof(header) + b->size + b->strings_size;
	char *data = malloc(size);
	struct types *types;

	assert_non_null(data);
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), b->types, b->size);
	char *strings = data + sizeof(header) + b->size;
	memcpy(strings, b->strings, b->strings_size);
	memset(strings + from, 0xff, to - from);
	strings[b->strings_size - 1] = '\0';
	assert_no_error(types_parse(data, size, &types));
	return types;
}

static bool is_at(const struct types *types, const char *type, const char *path, uint32_t offset)
{
	struct member member;

	if (!types_member(types, type, path, &member))
		return false;
	assert_int_equal(member.offset, offset);
	return true;
}

static void all_names(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset;
	} wanted[] = {
		{ "task_struct", "stack", 0 },	     { "task_struct", "tasks", 32 },
		{ "task_struct", "pid", 48 },	     { "task_struct", "tgid", 52 },
		{ "task_struct", "comm", 64 },	     { "task_struct", "signal", 80 },
		{ "task_struct", "thread.sp", 120 }, { "signal_struct", "thread_head", 8 },
	};
	struct blob b;

	(void)state;
	make_types(&b);
	struct types *types = parse(&b, 1, b.strings_size);
	assert_false(is_at(types, "task_struct", "pid", 48));
	assert_no_error(btf_names_restore(types));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!is_at(types, wanted[i].type, wanted[i].path, wanted[i].offset))
			fail_msg("%s.%s", wanted[i].type, wanted[i].path);
	/* What is not known is not named. */
	assert_false(is_at(types, "task_struct", "prio", 56));
	types_destroy(types);
}

/* Wherever the hole begins and ends, no name comes to a wrong place. */
static void any_hole(void **state)
{
	struct blob b;
	unsigned int found = 0, holes = 0;

	(void)state;
	make_types(&b);
	for (size_t from = 1; from < b.strings_size; from += 3) {
		for (size_t to = from + 1; to < b.strings_size; to += 5) {
			struct types *types = parse(&b, from, to);
			assert_no_error(btf_names_restore(types));
			holes++;
			found += is_at(types, "task_struct", "pid", 48) +
				 is_at(types, "task_struct", "tgid", 52) +
				 is_at(types, "task_struct", "tasks", 32) +
				 is_at(types, "task_struct", "stack", 0) +
				 is_at(types, "signal_struct", "thread_head", 8) +
				 is_at(types, "task_struct", "thread.sp", 120);
			types_destroy(types);
		}
	}
	if (found < holes * 6 * 9 / 10)
		fail_msg("%u of %u", found, holes * 6);
}

/* Two that fit are one too many. */
static void two_that_fit(void **state)
{
	struct blob b;

	(void)state;
	make_types(&b);
	char *other = memmem(b.strings, b.strings_size, "\0prios", 7);
	assert_non_null(other);
	/* A second "tasks" by length and size: "prios" becomes one of list_head. */
	for (size_t at = 0; at + sizeof(struct btf_member) <= b.size; at += 4) {
		struct btf_member *member = (struct btf_member *)(b.types + at);
		if (member->name_off == (uint32_t)(other + 1 - b.strings) && member->type == U64)
			member->type = LIST;
	}
	struct types *types = parse(&b, 1, b.strings_size);
	assert_no_error(btf_names_restore(types));
	assert_false(is_at(types, "task_struct", "tasks", 32));
	assert_true(is_at(types, "task_struct", "pid", 48));
	types_destroy(types);
}

/* Each of its members is without a name, and of its own type. */
static void a_struct_that_holds_itself(void **state)
{
	struct blob b;

	(void)state;
	make_types(&b);
	put_type(&b, "task", BTF_KIND_STRUCT, 200, 16);
	for (uint32_t i = 0; i < 200; i++)
		put_member(&b, "", SIGNAL + 1, 0);
	/* As long as "signal_struct". */
	put_type(&b, "signal_strict", BTF_KIND_STRUCT, 1, 16);
	put_member(&b, "", SIGNAL + 1, 0);
	struct types *types = parse(&b, 1, b.strings_size);
	assert_no_error(btf_names_restore(types));
	types_destroy(types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("names follow from their lengths, and their members' sizes and order",
		     all_names),
		TEST("a hole anywhere puts no name in a wrong place", any_hole),
		TEST("of two places that fit neither is taken", two_that_fit),
		TEST("a struct that holds itself is not looked into for ever",
		     a_struct_that_holds_itself),
	};
	return RUN_TESTS(tests);
}
