// SPDX-License-Identifier: GPL-2.0-only
/* What a watch that was killed has left, and whether this one can go on with it. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "capture/legacy.h"
#include "make_dump.h"
#include "make_record.h"

#define NR_CPUS 2
#define SIZE	((size_t)RECORD_SLOT_SIZE * (1 + NR_CPUS))
#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"

static struct record_header *make_map(void)
{
	struct record_header *header = calloc(1, SIZE);

	make_record_header(header, NR_CPUS);
	strcpy(header->boot_id, BOOT_ID);
	return header;
}

static void test_own(void **state)
{
	struct record_header *header = make_map();

	(void)state;
	assert_no_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID));
	free(header);
}

static void test_others(void **state)
{
	struct record_header *header = make_map();

	(void)state;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE,
				  "ffffffff-4567-89ab-cdef-0123456789ab"),
		     ERROR_OTHER, "is of another boot");
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE / 2, BOOT_ID), ERROR_OTHER,
		     "has other sizes");
	assert_error(legacy_check(header, SIZE - RECORD_SLOT_SIZE, RECORD_SLOT_SIZE, BOOT_ID),
		     ERROR_OTHER, "has other sizes");
	header->sample_size++;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "has other sizes");
	header->abi = 4711;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "is of ABI version 4711, not ");
	header->magic[0] = 0;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "is not whole");
	assert_error(legacy_check(header, 16, 16, BOOT_ID), ERROR_OTHER, "is not whole");
	free(header);
}

static void test_attended(void **state)
{
	struct record_header before = {
		.threshold_ns = 10 * NS_PER_SEC,
		.heartbeat_ns = 100 * NS_PER_SEC,
	};

	(void)state;
	assert_true(legacy_attended(&before, 50 * NS_PER_SEC));
	assert_false(legacy_attended(&before, 95 * NS_PER_SEC));
	assert_false(legacy_attended(&before, 101 * NS_PER_SEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a record of this version, this machine and this boot goes on", test_own),
		TEST("any other does not, and is told why", test_others),
		TEST("a stall that was past the threshold before the watch died was attended to",
		     test_attended),
	};

	return RUN_TESTS(tests);
}
