// SPDX-License-Identifier: GPL-2.0-only
/* A crash that saved nothing counts as one. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kdump/lost_crashes.h"
#include "kdump/state_folder.h"
#include "make_dump.h"
#include "make_record.h"
#include "make_root.h"

#define STORE  "/var/crash"
#define FIRST  "0123abcd-4567-89ab-cdef-0123456789ab"
#define SECOND "1123abcd-4567-89ab-cdef-0123456789ab"
#define ID     "20260101T000000Z-0123abcd"
#define SCHEMA "{\"schema\": \"lockdump.manifest/1\", "
#define NOW_S  1000.0

/* A watch of the boot @boot_id starts, and arms its trigger: whether it says that a crash was lost. */
static bool begin(const struct made_root *root, const char *boot_id)
{
	char store[64];
	bool lost;

	snprintf(store, sizeof(store), "%s" STORE, root->path);
	assert_no_error(lost_crashes_settle(root->path, store, boot_id, NOW_S, &lost));
	assert_no_error(lost_crashes_arm(root->path, boot_id));
	return lost;
}

static unsigned int count(const struct made_root *root)
{
	assert_int_equal(lost_crashes_count(root->path, NOW_S + 1), 0);
	return lost_crashes_count(root->path, NOW_S);
}

static void test_nothing_left(void **state)
{
	const struct made_root *root = *state;

	assert_int_equal(count(root), 0);
	assert_false(begin(root, FIRST));
	assert_int_equal(count(root), 0);
	assert_true(begin(root, SECOND));
	assert_int_equal(count(root), 1);
	assert_true(begin(root, FIRST));
	assert_int_equal(count(root), 2);
}

static void test_same_boot(void **state)
{
	const struct made_root *root = *state;

	assert_false(begin(root, FIRST));
	assert_false(begin(root, FIRST));
	assert_int_equal(count(root), 0);
}

static void test_clean_end(void **state)
{
	const struct made_root *root = *state;

	begin(root, FIRST);
	assert_no_error(lost_crashes_arm(root->path, NULL));
	assert_false(begin(root, SECOND));
	assert_int_equal(count(root), 0);
}

/* Else whoever may write to the store could have the rig crash for ever. */
static void test_others(void **state)
{
	const struct made_root *root = *state;

	begin(root, FIRST);
	make_root_text(root, STORE "/" ID "/manifest.json",
		       SCHEMA "\"times\": {\"capture_start\": 5}, \"trigger\": {\"by\": null}}");
	assert_int_equal(chmod(make_root_place(root, STORE "/" ID), 0777), 0);
	assert_true(begin(root, SECOND));
}

/* What a capture kernel has told is counted by that, or no trigger's doing. */
static void test_captured(void **state)
{
	const struct made_root *root = *state;

	begin(root, FIRST);
	make_root_text(root, STORE "/" ID "/manifest.json",
		       SCHEMA
		       "\"times\": {\"capture_start\": 5}, \"trigger\": {\"by\": \"panic\"}}");
	assert_false(begin(root, SECOND));
	assert_int_equal(count(root), 0);
}

/* A stall of that boot that went by by itself, and an incident of another one, tell nothing. */
static void test_other_incidents(void **state)
{
	const struct made_root *root = *state;

	begin(root, FIRST);
	make_root_text(root, STORE "/" ID "/manifest.json", SCHEMA "\"times\": {\"onset\": 5}}");
	make_root_text(root, STORE "/20260101T000000Z-2123abcd/manifest.json",
		       SCHEMA "\"times\": {\"capture_start\": 5}}");
	assert_true(begin(root, SECOND));
	assert_int_equal(count(root), 1);
}

static void test_record(void **state)
{
	const struct made_root *root = *state;
	struct record_header header = { .fired_by = RECORD_FIRED_SYSRQ,
					.anchor_realtime_ns = 5000000000 };

	begin(root, FIRST);
	make_record_header(&header, 1);
	make_root_write(root, STORE "/" ID "/record.bin", &header, sizeof(header));
	assert_false(begin(root, SECOND));
}

static void test_drill(void **state)
{
	const struct made_root *root = *state;

	begin(root, FIRST);
	make_root_text(root, STATE_FOLDER "/drill.json", "{\"boot_id\": \"" FIRST "\"}");
	assert_false(begin(root, SECOND));
	assert_int_equal(count(root), 0);
}

static void test_damaged(void **state)
{
	const struct made_root *root = *state;

	assert_false(begin(root, FIRST));
	make_root_text(root, STATE_FOLDER "/boots.json",
		       "{\"armed\": [], \"lost\": [null, {}, \"x\", 1000.0]}");
	assert_false(begin(root, SECOND));
	assert_int_equal(count(root), 1);
	make_root_text(root, STATE_FOLDER "/boots.json", "{\"armed\": \"x");
	assert_false(begin(root, SECOND));
	assert_int_equal(count(root), 0);
}

static void test_most(void **state)
{
	const struct made_root *root = *state;

	for (int i = 0; i < 70; i++)
		begin(root, i % 2 ? FIRST : SECOND);
	assert_int_equal(count(root), 64);
}

#define TEST_WITH_ROOT(name, function) \
	TEST_WITH(name, function, make_root_setup, make_root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH_ROOT(
			"a boot that ended while a trigger was armed, and left nothing, counts",
			test_nothing_left),
		TEST_WITH_ROOT("a watch that starts again in the same boot is no crash",
			       test_same_boot),
		TEST_WITH_ROOT("nor is a boot in which the watch has ended as it should",
			       test_clean_end),
		TEST_WITH_ROOT("what a capture kernel has told of is not counted here",
			       test_captured),
		TEST_WITH_ROOT("what others may have written tells nothing", test_others),
		TEST_WITH_ROOT("what tells nothing of the end does not hide it",
			       test_other_incidents),
		TEST_WITH_ROOT("a record in which the trigger has fired tells", test_record),
		TEST_WITH_ROOT("a drill does not count, whatever became of it", test_drill),
		TEST_WITH_ROOT("a damaged note is none", test_damaged),
		TEST_WITH_ROOT("no more are remembered than there is a use for", test_most),
	};

	return RUN_TESTS(tests);
}
