// SPDX-License-Identifier: GPL-2.0-only
/* The record's clocks, and what an incident is called after them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/header.h"
#include "kdump/store.h"
#include "state/record.h"

static const struct record_header header = {
	.anchor_monotonic_ns = 1000 * NS_PER_SEC,
	.anchor_boottime_ns = 4600 * NS_PER_SEC, /* it slept for an hour */
	.anchor_realtime_ns = 1767225600 * NS_PER_SEC, /* 2026-01-01 00:00:00 UTC */
};

static void test_after_anchor(void **state)
{
	(void)state;
	assert_int_equal(record_realtime_ns(&header, 1000 * NS_PER_SEC + 5),
			 1767225600 * NS_PER_SEC + 5);
	assert_int_equal(header_boottime_ns(&header, 1001 * NS_PER_SEC), 4601 * NS_PER_SEC);
}

/* The stall may have begun before the controller read its clocks. */
static void test_before_anchor(void **state)
{
	(void)state;
	assert_int_equal(record_realtime_ns(&header, 999 * NS_PER_SEC), 1767225599 * NS_PER_SEC);
	assert_int_equal(header_boottime_ns(&header, 999 * NS_PER_SEC), 4599 * NS_PER_SEC);
}

static void test_id(void **state)
{
	char store[] = "/tmp/lockdump-test.XXXXXX", path[128];
	uint64_t onset_ns = record_realtime_ns(&header, 999 * NS_PER_SEC + 999 * NS_PER_MS);
	struct incident incident;

	(void)state;
	assert_non_null(mkdtemp(store));
	struct error *err = incident_create(store, onset_ns / NS_PER_SEC,
					    "0123abcd-0000-0000-0000-000000000000", &incident);
	assert_null(err);
	assert_string_equal(incident.id, "20251231T235959Z-0123abcd");
	incident_close(&incident);
	snprintf(path, sizeof(path), "%s/%s", store, incident.id);
	assert_int_equal(rmdir(path) | rmdir(store), 0);
}

static void test_first_sample(void **state)
{
	(void)state;
	assert_int_equal(
		header_sample_first_ns(&(struct watch_options){ .threshold_ns = 10 * NS_PER_SEC }),
		NS_PER_SEC);
	assert_int_equal(
		header_sample_first_ns(&(struct watch_options){ .threshold_ns = NS_PER_SEC / 2 }),
		NS_PER_SEC / 2);
}

static void test_follow(void **state)
{
	const uint64_t hour = 3600 * NS_PER_SEC;
	uint64_t now = now_ns(), start = now - NS_PER_SEC;
	struct record_header moved = {
		.anchor_monotonic_ns = start,
		.anchor_boottime_ns = clock_ns(CLOCK_BOOTTIME) - NS_PER_SEC - hour,
		.anchor_realtime_ns = clock_ns(CLOCK_REALTIME) - NS_PER_SEC + hour,
	};

	(void)state;
	header_follow_clocks(&moved);
	assert_int_equal(moved.anchor_monotonic_ns, start);
	now = now_ns();
	assert_in_range(clock_ns(CLOCK_REALTIME) - record_realtime_ns(&moved, now), 0,
			60 * NS_PER_SEC);
	assert_in_range(clock_ns(CLOCK_BOOTTIME) - header_boottime_ns(&moved, now), 0,
			60 * NS_PER_SEC);
}

static void test_taken_over(void **state)
{
	struct recorder recorder = { .nr_cpus = 1,
				     .hook = "tick",
				     .record = calloc(1, RECORD_SLOT_SIZE) };
	struct watch_options options = { .threshold_ns = 3 * NS_PER_SEC };
	struct record_header *left = recorder_header(&recorder);

	(void)state;
	strcpy(left->incident, "20251231T235959Z-0123abcd");
	left->sample_first_ns = 500 * NS_PER_MS;
	left->fired_by = RECORD_FIRED_SYSRQ;
	left->controller_pid = 1;
	assert_null(header_init(&recorder, &options));
	assert_string_equal(left->incident, "20251231T235959Z-0123abcd");
	assert_int_equal(left->threshold_ns, 3 * NS_PER_SEC);
	assert_int_equal(left->controller_pid, getpid());
	assert_int_equal(left->fired_by, RECORD_FIRED_NONE);
	/* Of the programs that go on. */
	assert_int_equal(left->sample_first_ns, 500 * NS_PER_MS);
	assert_memory_equal(left->magic, RECORD_MAGIC, sizeof(left->magic));
	header_end(left);
	assert_null(memchr(left->magic, RECORD_MAGIC[0], sizeof(left->magic)));
	free(left);
}

#define test(name, function)                     \
	{                                        \
		name, function, NULL, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test("a time after the anchor is found on the other clocks", test_after_anchor),
		test("so is one before it", test_before_anchor),
		test("the wall clock may be set, and the machine may sleep", test_follow),
		test("an incident is called after the second of its onset, in UTC", test_id),
		test("a header that is taken over keeps its incident, and its programs' times",
		     test_taken_over),
		test("the first sample comes after 1 s, or with a shorter threshold",
		     test_first_sample),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
