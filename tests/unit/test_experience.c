// SPDX-License-Identifier: GPL-2.0-only
/* Which dump level served last time. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "kdump/experience.h"
#include "make_store.h"

static void add(const struct store *store, const char *id, const char *kernel, int level,
		const char *makedumpfile, bool proven)
{
	char members[256];

	snprintf(members, sizeof(members),
		 "\"kernel\": \"%s\", \"dump\": {\"level\": %d, \"makedumpfile\": \"%s\", "
		 "\"tries\": [{\"level\": %d, \"outcome\": \"done\"}], \"proven\": %s}",
		 kernel, level, makedumpfile, level, proven ? "true" : "false");
	store_add_manifest(store, id, members);
}

static void test_newest(void **state)
{
	const struct store *store = *state;
	unsigned int level = 7;

	assert_false(experience_level(store->path, "6.12.1", "1.7.2", &level));
	add(store, "20260103T000000Z-0123abcd", "6.12.1", 23, "1.7.2", true);
	add(store, "20260102T000000Z-0123abcd", "6.12.1", 31, "1.7.2", true);
	add(store, "20260104T000000Z-0123abcd", "6.12.1", 1, "1.7.2", false);
	add(store, "20260105T000000Z-0123abcd", "6.1.0-13", 31, "1.7.2", true);
	assert_true(experience_level(store->path, "6.12.1", "1.7.2", &level));
	assert_int_equal(level, 23);
	/* By its folder, whatever the manifest says that it is. */
	add(store, "20260103T000000Z-0123abcd-2", "6.12.1", 17, "1.7.2", true);
	assert_true(experience_level(store->path, "6.12.1", "1.7.2", &level));
	assert_int_equal(level, 17);
}

/* Who may write to the store could have the next dump be as large as can be. */
static void test_others(void **state)
{
	const struct store *store = *state;
	unsigned int level = 7;
	char path[128];

	add(store, "20260101T000000Z-0123abcd", "6.12.1", 23, "1.7.2", true);
	add(store, "20260102T000000Z-0123abcd", "6.12.1", 0, "1.7.2", true);
	snprintf(path, sizeof(path), "%s/20260102T000000Z-0123abcd", store->path);
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(experience_level(store->path, "6.12.1", "1.7.2", &level));
	assert_int_equal(level, 23);
}

static void test_none(void **state)
{
	const struct store *store = *state;
	unsigned int level = 7;

	add(store, "20260101T000000Z-0123abcd", "6.12.1", 23, "1.7.2", true);
	add(store, "20260102T000000Z-0123abcd", "6.12.1", 23, "1.7.6", false);
	assert_false(experience_level(store->path, "6.12.1", "1.7.6", &level));
	/* A damaged or foreign manifest. */
	add(store, "20260103T000000Z-0123abcd", "6.12.1", 9999, "1.7.6", true);
	assert_false(experience_level(store->path, "6.12.1", "1.7.6", &level));
	assert_false(experience_level("/nowhere", "6.12.1", "1.7.2", &level));
	assert_int_equal(level, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("the newest vmcore of this kernel that was proven tells the level",
			  test_newest, make_store, remove_store),
		TEST_WITH("one of another makedumpfile, or that was not proven, does not",
			  test_none, make_store, remove_store),
		TEST_WITH("nor does one that others may have written", test_others, make_store,
			  remove_store),
	};

	return RUN_TESTS(tests);
}
