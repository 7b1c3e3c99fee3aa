// SPDX-License-Identifier: GPL-2.0-only
/* The build id, from ELF notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "capture/rig.h"

/* A note of another owner with the same type, then the build id. */
static const unsigned char notes[] = {
	4, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 'X', 'e', 'n', 0,	1,   2, 3,    4,    5,	  0,
	0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0,	 0,   'G', 'N', 'U', 0, 0xde, 0xad, 0x00, 0x0f,
};

static void test_build_id(void **state)
{
	char *id = rig_build_id(notes, sizeof(notes));

	(void)state;
	assert_non_null(id);
	assert_string_equal(id, "dead000f");
	free(id);
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(notes); size++)
		assert_null(rig_build_id(notes, size));
}

static void test_huge_length(void **state)
{
	unsigned char bad[sizeof(notes)];

	(void)state;
	memcpy(bad, notes, sizeof(bad));
	memset(bad, 0xff, 8);
	assert_null(rig_build_id(bad, sizeof(bad)));
}

#define test(name, function)                     \
	{                                        \
		name, function, NULL, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test("the build id is found among other notes", test_build_id),
		test("notes that end too early have none", test_truncated),
		test("a length beyond the notes is no build id", test_huge_length),
	};

	return cmocka_run_group_tests_name("rig", tests, NULL, NULL);
}
