// SPDX-License-Identifier: GPL-2.0-only
/* Kernel lists: struct list_head, whose first word is next. The list_head is 0x10 into its object. */
#include "dump/list.h"
#include "make_kernel.h"
#include "test.h"

#define HEAD 0xffff888000000000ull

/* Walks the list of @text; returns how many objects it had before its end or the error. */
static uint32_t walk(const char *text, struct error **err)
{
	struct make_kernel k;
	struct made_memory m;
	struct list_walk list;
	uint32_t count = 0;

	make_kernel_init(&k);
	make_kernel_text(&k, text);
	make_kernel_open_memory(&k, &m);
	list_walk_init(&list, &m.memory, HEAD, 0x10);
	while (list_walk_next(&list, err)) {
		uint64_t object;
		*err = memory_read_u64(&m.memory, list.object, &object);
		if (*err)
			break;
		assert_int_equal(object, ++count);
	}
	made_memory_close(&m);
	make_kernel_deinit(&k);
	return count;
}

static void every_object_in_order(void **state)
{
	struct error *err;

	(void)state;
	assert_int_equal(walk("at 0xffff888000000000\n u64 0xffff888000002010\n" /* the head */
			      "at 0xffff888000002000\n u64 1 0 0xffff888000001110\n"
			      "at 0xffff888000001100\n u64 2 0 0xffff888000003010\n"
			      "at 0xffff888000003000\n u64 3 0 0xffff888000000000\n",
			      &err),
			 3);
	assert_no_error(err);
}

static void an_empty_list(void **state)
{
	struct error *err;

	(void)state;
	assert_int_equal(walk("at 0xffff888000000000\n u64 0xffff888000000000\n", &err), 0);
	assert_no_error(err);
}

static void circles_without_the_head(void **state)
{
	struct error *err;

	(void)state;
	/* An object that is its own next. */
	assert_int_equal(walk("at 0xffff888000000000\n u64 0xffff888000002010\n"
			      "at 0xffff888000002000\n u64 1 0 0xffff888000002010\n",
			      &err),
			 1);
	assert_fault(err, ERROR_CORRUPT, 0xffff888000002010);
	/* Two that lead to each other: walked once or twice round, then known. */
	walk("at 0xffff888000000000\n u64 0xffff888000002010\n"
	     "at 0xffff888000002000\n u64 1 0 0xffff888000003010\n"
	     "at 0xffff888000003000\n u64 2 0 0xffff888000003010\n",
	     &err);
	assert_fault(err, ERROR_CORRUPT, 0xffff888000003010);
}

/* A circle of any length, wherever it begins, ends the walk after a few times its length. */
static void long_circles(void **state)
{
	(void)state;
	for (unsigned int length = 1; length <= 40; length++) {
		struct make_kernel k;
		struct made_memory m;
		struct list_walk list;
		struct error *err;
		uint32_t steps = 0;
		make_kernel_init(&k);
		make_kernel_text(&k, "at 0xffff888000000000\n u64 0xffff888000001000\n");
		for (unsigned int i = 0; i < length + 7; i++) {
			uint64_t next = i == length + 6 ? 7 : i + 1;
			make_kernel_line(&k, "at 0x%llx", HEAD + 0x1000 + i * 16ull);
			make_kernel_line(&k, "u64 0x%llx",
					 HEAD + 0x1000 + (unsigned long long)next * 16);
		}
		make_kernel_open_memory(&k, &m);
		list_walk_init(&list, &m.memory, HEAD, 0);
		while (list_walk_next(&list, &err))
			steps++;
		assert_error(err, ERROR_CORRUPT, "circle");
		assert_true(steps < 4 * (length + 7));
		made_memory_close(&m);
		make_kernel_deinit(&k);
	}
}

static void a_broken_link_is_named(void **state)
{
	struct error *err;

	(void)state;
	assert_int_equal(walk("at 0xffff888000000000\n u64 0xffff888000002010\n"
			      "at 0xffff888000002000\n u64 1 0 0xdead000000000100\n"
			      "exclude 0xffff888000009000\n",
			      &err),
			 1);
	/* LIST_POISON1: the object that it would be in cannot be read. */
	assert_fault(err, ERROR_UNMAPPED, 0xdead0000000000f0);
}

static void behind_a_broken_link(void **state)
{
	static const uint64_t wanted[] = { 0x1000, 0x2000, 0x3000, 0x6000, 0x5000 };
	struct make_kernel k;
	struct made_memory m;
	struct list_walk list;
	struct error *err;
	size_t count = 0;

	(void)state;
	/* Of six, the third and the fourth are not in the dump. */
	make_kernel_init(&k);
	make_kernel_text(&k, "at 0xffff888000000000\n u64 0xffff888000001000 0xffff888000006000\n"
			     "at 0xffff888000001000\n u64 0xffff888000002000 0xffff888000000000\n"
			     "at 0xffff888000002000\n u64 0xffff888000003000 0xffff888000001000\n"
			     "exclude 0xffff888000003000\n exclude 0xffff888000004000\n"
			     "at 0xffff888000005000\n u64 0xffff888000006000 0xffff888000004000\n"
			     "at 0xffff888000006000\n u64 0xffff888000000000 0xffff888000005000\n");
	make_kernel_open_memory(&k, &m);
	list_walk_init(&list, &m.memory, HEAD, 0);
	while (list_walk_next(&list, &err)) {
		if (list.object == HEAD + 0x4000)
			continue; /* it is in its neighbour's link */
		assert_true(count < 5);
		assert_true(list.object == HEAD + wanted[count++]);
	}
	assert_int_equal(count, 5);
	assert_fault(err, ERROR_EXCLUDED, HEAD + 0x3000);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("every object comes, in the list's order", every_object_in_order),
		TEST("an empty list has none", an_empty_list),
		TEST("a circle that leaves out the head is corrupt", circles_without_the_head),
		TEST("a circle of any length ends the walk soon", long_circles),
		TEST("a broken link is an error at its address", a_broken_link_is_named),
		TEST("what is behind a broken link is reached from the other end",
		     behind_a_broken_link),
	};
	return RUN_TESTS(tests);
}
