// SPDX-License-Identifier: GPL-2.0-only
/* Extents beside a plain array, in which later ones overwrite earlier ones. */
#include <string.h>

#include "dump/extents.h"
#include "test.h"

#define SPACE 200

struct both {
	struct extents extents;
	uint32_t plain[SPACE]; /* place plus one; 0: in none */
};

static void add(struct both *both, uint32_t start, uint32_t size, uint32_t at)
{
	assert_true(extents_add(&both->extents, start, size, at));
	for (uint32_t i = 0; i < size; i++)
		both->plain[start + i] = at + i + 1;
}

static void compare(struct both *both)
{
	assert_null(extents_finish(&both->extents));
	for (uint32_t i = 0; i < SPACE; i++) {
		const struct extent *extent = extents_find(&both->extents, i);
		uint32_t found = 0;
		if (extent && extent->start <= i)
			found = extent->at + (i - extent->start) + 1;
		assert_int_equal(found, both->plain[i]);
		/* What is found for a hole is what follows it. */
		if (extent && extent->start > i)
			for (uint32_t hole = i; hole < extent->start; hole++)
				assert_int_equal(both->plain[hole], 0);
	}
	extents_deinit(&both->extents);
	memset(both, 0, sizeof(*both));
}

static void orders_and_overlaps(void **state)
{
	struct both both = {};

	(void)state;
	compare(&both);
	add(&both, 10, 0, 1);
	compare(&both);
	add(&both, 10, 20, 1000);
	add(&both, 30, 5, 2000);
	compare(&both);
	add(&both, 30, 5, 1000);
	add(&both, 10, 20, 2000);
	compare(&both);
	add(&both, 0, 100, 1000);
	add(&both, 20, 10, 2000);
	add(&both, 25, 10, 3000);
	add(&both, 0, 1, 4000);
	add(&both, 99, 2, 5000);
	compare(&both);
	add(&both, 20, 10, 1000);
	add(&both, 50, 10, 2000);
	add(&both, 0, 100, 3000);
	compare(&both);
	add(&both, 0, 100, 1000);
	add(&both, 0, 100, 2000);
	compare(&both);
}

static void at_random(void **state)
{
	struct both both = {};
	uint32_t random = 1;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t n[3];
		for (unsigned int count = round % 12; count--;) {
			for (size_t i = 0; i < 3; i++) {
				random = random * 1103515245 + 12345;
				n[i] = random >> 8;
			}
			uint32_t start = n[0] % SPACE, size = n[1] % (n[2] % 2 ? SPACE : 12);
			if (size > SPACE - start)
				size = SPACE - start;
			add(&both, start, size, n[2] >> 4);
		}
		compare(&both);
	}
}

static void the_end_of_the_address_space(void **state)
{
	struct extents extents = {};

	(void)state;
	assert_true(extents_add(&extents, UINT64_MAX - 10, 10, 5));
	assert_null(extents_finish(&extents));
	assert_int_equal(extents_find(&extents, 0)->at, 5);
	assert_int_equal(extents_find(&extents, UINT64_MAX - 1)->at, 5);
	assert_null(extents_find(&extents, UINT64_MAX));
	extents_deinit(&extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("whatever the order and the overlaps, the last one added is found",
		     orders_and_overlaps),
		TEST("20000 random sets of extents read like an array", at_random),
		TEST("an extent may end with the address space", the_end_of_the_address_space),
	};
	return RUN_TESTS(tests);
}
