// SPDX-License-Identifier: GPL-2.0-only
/* What crashkernel= a machine needs. */
#include "test.h"

#include <string.h>

#include "kdump/estimate.h"
#include "make_store.h"

#define MB 1024

static void add(const struct store *store, const char *id, const char *kernel, int peak_mb,
		const char *more)
{
	char members[256];

	snprintf(members, sizeof(members), "\"kernel\": \"%s\", \"memory\": {\"peak_kb\": %d}%s",
		 kernel, peak_mb * MB, more);
	store_add_manifest(store, id, members);
}

static void test_measured(void **state)
{
	const struct store *store = *state;
	struct estimate estimate;

	assert_false(estimate_measured(store->path, "6.1.0-13", &estimate));
	add(store, "20260101T000000Z-0123abcd", "6.1.0-13", 90, "");
	add(store, "20260102T000000Z-0123abcd", "6.1.0-13", 92, ", \"drill\": true");
	add(store, "20260103T000000Z-0123abcd", "6.1.0-13", 80, "");
	add(store, "20260104T000000Z-0123abcd", "6.12.1", 120, "");
	store_add(store, "20260105T000000Z-0123abcd", "record.bin", "");
	assert_true(estimate_measured(store->path, "6.1.0-13", &estimate));
	assert_true(estimate.measured);
	assert_true(estimate.drill);
	assert_string_equal(estimate.incident, "20260102T000000Z-0123abcd");
	assert_int_equal(estimate.need_kb, 92 * MB);
	/* A quarter and 16 MB on top are 131. */
	assert_int_equal(estimate.reserve_kb, 144 * MB);
	assert_true(estimate_measured(store->path, "6.12.1", &estimate));
	assert_int_equal(estimate.reserve_kb, 176 * MB);
}

static void test_no_store(void **state)
{
	struct estimate estimate;

	(void)state;
	assert_false(estimate_measured("/nowhere", "6.1.0-13", &estimate));
}

static void test_calculated(void **state)
{
	struct machine machine = { .kernel_kb = 30 * MB, .memory_kb = 1024 * MB };
	struct estimate small, large;

	(void)state;
	estimate_calculated(&machine, 18 * MB * 1024, &small);
	assert_false(small.measured);
	/* The lab's guest: 92 were measured. */
	assert_in_range(small.need_kb, 92 * MB, 120 * MB);
	assert_in_range(small.reserve_kb, 128 * MB, 160 * MB);
	assert_int_equal(small.reserve_kb % (16 * MB), 0);
	machine.memory_kb *= 1024;
	estimate_calculated(&machine, 18 * MB * 1024, &large);
	assert_in_range(large.need_kb, small.need_kb + 60 * MB, small.need_kb + 70 * MB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("the worst incident of this kernel measures it", test_measured,
			  make_store, remove_store),
		TEST("without a store nothing does", test_no_store),
		TEST("else it is calculated, and grows with the memory", test_calculated),
	};

	return RUN_TESTS(tests);
}
