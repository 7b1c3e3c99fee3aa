// SPDX-License-Identifier: GPL-2.0-only
/* What a store keeps, and what goes. */
#include "test.h"

#include <string.h>

#include "kdump/retention.h"
#include "make_dump.h"

#define GB  1000000000ull
#define DAY 86400

/* Ten of them, a day apart, the last now; each has 1 GB and a dump. */
struct fixture {
	struct incident_summary all[10];
	const struct incident_summary *pointers[10];
	struct chosen own;
	struct limits limits;
	struct room room;
};

static struct fixture make(void)
{
	struct fixture fixture = { .room = { .total = 100 * GB, .free = 50 * GB } };

	for (int i = 0; i < 10; i++)
		fixture.all[i] = (struct incident_summary){
			.onset_s = (int64_t)i * DAY,
			.dump = DUMP_PRESENT,
			.size = GB,
			.complete = true,
		};
	return fixture;
}

/* The numbers of those that go, as digits. */
static const char *gone(struct fixture *fixture)
{
	static char said[16];
	struct doomed_list doomed;

	for (int i = 0; i < 10; i++)
		fixture->pointers[i] = &fixture->all[i];
	fixture->own.list.data = fixture->pointers;
	fixture->own.list.count = 10;
	assert_no_error(retention_choose(&fixture->limits, &fixture->room, &fixture->own, 9 * DAY,
					 &doomed));
	memset(said, 0, sizeof(said));
	for (size_t i = 0; i < doomed.list.count; i++)
		said[i] = (char)('0' + (doomed.list.data[i].one - fixture->all));
	doomed_list_deinit(&doomed);
	return said;
}

static void test_limits(void **state)
{
	struct fixture fixture = make();

	(void)state;
	assert_string_equal(gone(&fixture), "");
	fixture.limits.incidents = 7;
	assert_string_equal(gone(&fixture), "012");
	fixture.limits = (struct limits){ .age_s = 7.5 * DAY };
	assert_string_equal(gone(&fixture), "01");
	fixture.limits = (struct limits){ .size.bytes = 6 * GB };
	assert_string_equal(gone(&fixture), "0123");
	fixture.limits = (struct limits){ .size.share = 0.05 };
	assert_string_equal(gone(&fixture), "01234");
	fixture.limits = (struct limits){ .free.bytes = 52 * GB };
	assert_string_equal(gone(&fixture), "01");
	fixture.limits = (struct limits){ .free.share = 0.51, .incidents = 7 };
	assert_string_equal(gone(&fixture), "012");
}

static void test_newest(void **state)
{
	struct fixture fixture = make();

	(void)state;
	fixture.limits = (struct limits){ .incidents = 1, .free.share = 1, .age_s = 1 };
	assert_string_equal(gone(&fixture), "012345678");
	/* The newest went by by itself: the last dump stays too. */
	fixture.all[9].dump = fixture.all[8].dump = DUMP_NONE;
	assert_string_equal(gone(&fixture), "01234568");
}

static void test_kept(void **state)
{
	struct fixture fixture = make();

	(void)state;
	fixture.all[0].kept = fixture.all[5].kept = true;
	fixture.limits.incidents = 7;
	assert_string_equal(gone(&fixture), "1");
	fixture.limits = (struct limits){ .free.share = 1 };
	assert_string_equal(gone(&fixture), "1234678");
}

static void test_bad_save(void **state)
{
	struct fixture fixture = make();

	(void)state;
	fixture.all[9].complete = false;
	fixture.limits.incidents = 1;
	assert_string_equal(gone(&fixture), "");
}

static void test_none(void **state)
{
	struct fixture fixture = make();
	struct chosen none = {};
	struct doomed_list doomed;

	(void)state;
	assert_no_error(retention_choose(&fixture.limits, &fixture.room, &none, 0, &doomed));
	assert_int_equal(doomed.list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("by number, age, size and room the oldest go", test_limits),
		TEST("the newest stays, and the newest dump", test_newest),
		TEST("what is kept stays, and does not count", test_kept),
		TEST("after a bad save nothing goes", test_bad_save),
		TEST("an empty store has nothing to lose", test_none),
	};

	return RUN_TESTS(tests);
}
