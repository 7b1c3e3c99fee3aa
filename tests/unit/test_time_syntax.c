// SPDX-License-Identifier: GPL-2.0-only
/* Times and spans as systemd.time(7) has them. */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "base/time_syntax.h"
#include "make_dump.h"

#define NOW 1767225605 /* 2026-01-01 00:00:05 UTC, 01:00:05 in Berlin */

static int64_t parsed(const char *text)
{
	int64_t ret;

	assert_no_error(time_parse(text, NOW, &ret));
	return ret;
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void test_absolute(void **state)
{
	(void)state;
	assert_int_equal(parsed("2026-01-01 01:00:05"), NOW);
	assert_int_equal(parsed("2026-01-01T01:00:05"), NOW);
	assert_int_equal(parsed("2026-01-01 00:00:05 UTC"), NOW);
	assert_int_equal(parsed("2026-01-01T00:00:05Z"), NOW);
	assert_int_equal(parsed("2026-01-01 01:00"), NOW - 5);
	assert_int_equal(parsed("2026-01-01"), NOW - 3605);
	assert_int_equal(parsed("2026-07-01 02:00"), 1782864000);
	assert_int_equal(parsed("02:00"), NOW - 5 + 3600);
	assert_int_equal(parsed("@12"), 12);
}

static void test_relative(void **state)
{
	(void)state;
	assert_int_equal(parsed("now"), NOW);
	assert_int_equal(parsed("today"), NOW - 3605);
	assert_int_equal(parsed("yesterday"), NOW - 3605 - 86400);
	assert_int_equal(parsed("tomorrow"), NOW - 3605 + 86400);
	assert_int_equal(parsed("-2h"), NOW - 7200);
	assert_int_equal(parsed("+1min 30s"), NOW + 90);
	assert_int_equal(parsed("2h 30min ago"), NOW - 9000);
	assert_int_equal(parsed("-1w2d"), NOW - 9 * 86400);
	assert_int_equal(parsed("-5"), NOW - 5);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"-",
		"-x",
		"2h",
		"-2 lightyears",
		"@",
		"@x",
		"2026-02-31",
		"2026-13-01",
		"25:00",
		"ago",
		" ago",
		"--2h",
		"2026-01-01 later",
		"-1e400y",
		"-nan",
		"-infinity",
		"+-2h",
		"Z",
		"2026-01-01 00:00:00 UTC Z",
	};
	int64_t ret;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_error(time_parse(texts[i], NOW, &ret), ERROR_OTHER, "is no time");
}

static void test_spans(void **state)
{
	double ret;

	(void)state;
	assert_no_error(time_parse_span("90", &ret));
	assert_true(ret == 90);
	assert_no_error(time_parse_span("1.5h 30 sec", &ret));
	assert_true(ret == 5430);
	assert_no_error(time_parse_span("1M", &ret));
	assert_true(ret == 2629800);
	assert_error(time_parse_span("-1", &ret), ERROR_OTHER, "no span");
	assert_error(time_parse_span("", &ret), ERROR_OTHER, "no span");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("dates and times are local, or UTC where they say so", test_absolute),
		TEST("words and spans count from now", test_relative),
		TEST("what is no time is refused", test_refused),
		TEST("spans add up", test_spans),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
