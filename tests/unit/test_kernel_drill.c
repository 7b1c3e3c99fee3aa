// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's trigger is asked to fire by a real BPF map with a name, behind which no program is. */
#include "test.h"

#include <pthread.h>
#include <unistd.h>

#include "capture/kernel_drill.h"
#include "make_dump.h"
#include "make_pinned_record.h"

static void test_unarmed(void **state)
{
	struct made_pinned_record *fixture = *state;
	struct record_header *header;

	make_pinned_record(fixture, 1);
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_OTHER, "is not armed");
	fixture->header->armed = RECORD_ARMED;
	fixture->header->abi++;
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_CORRUPT, "another version's");
}

static void test_no_record(void **state)
{
	struct made_pinned_record *fixture = *state;
	struct record_header *header;

	make_pinned_record_folder(fixture);
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_NOT_FOUND, "no trigger");
}

struct asked {
	struct record_header *header;
	bool ended;
	bool seen;
};

/* As the program in the kernel does. */
static void *take_request(void *arg)
{
	struct asked *asked = arg;

	while (!asked->seen && !__atomic_load_n(&asked->ended, __ATOMIC_SEQ_CST)) {
		asked->seen = __atomic_load_n(&asked->header->drill, __ATOMIC_SEQ_CST) == 1;
		usleep(1000);
	}
	return NULL;
}

static bool fire(struct record_header *mapped, struct record_header *header, unsigned int limit_s)
{
	struct asked asked = { .header = header };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, take_request, &asked), 0);
	kernel_drill_fire(mapped, limit_s);
	__atomic_store_n(&asked.ended, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	return asked.seen;
}

static void test_asked(void **state)
{
	struct made_pinned_record *fixture = *state;
	struct record_header *header;
	bool seen = false;

	make_pinned_record(fixture, 1);
	fixture->header->armed = RECORD_ARMED;
	assert_no_error(kernel_drill_open(fixture->path, &header));
	/* The thread may get no time in one second of a busy host, least of all under a checker. */
	for (unsigned int limit_s = 1; !seen && limit_s <= 64; limit_s *= 2)
		seen = fire(header, fixture->header, limit_s);
	assert_true(seen);
	assert_int_equal(fixture->header->drill, 0);
	kernel_drill_close(header);
}

#define PIN_TEST(sentence, function) \
	TEST_WITH(sentence, function, make_pinned_record_setup, make_pinned_record_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST("a trigger that is not armed is not asked, nor another version's",
			 test_unarmed),
		PIN_TEST("nor one that is not there", test_no_record),
		PIN_TEST("one that is armed is asked, and not for ever", test_asked),
	};

	return RUN_TESTS(tests);
}
