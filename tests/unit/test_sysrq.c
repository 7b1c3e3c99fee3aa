// SPDX-License-Identifier: GPL-2.0-only
/* The trigger, with a file in the place of /proc/sysrq-trigger: what is left when the machine lives on. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/sysrq.h"

/* A CPU that is not there: this test never runs on it. */
#define STUCK_CPU 4095

struct fixture {
	struct watch watch;
	struct cause cause;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct recorder *recorder = &fixture->watch.recorder;
	uint64_t now = now_ns();

	recorder->nr_cpus = STUCK_CPU + 1;
	recorder->silent_ns = 10 * NS_PER_SEC;
	recorder->size = (size_t)RECORD_SLOT_SIZE * (1 + recorder->nr_cpus);
	recorder->record = calloc(1, recorder->size);
	struct record_slot *slot = (void *)recorder_slot(recorder, STUCK_CPU);
	slot->onset_ns = now - 20 * NS_PER_SEC;
	slot->last_ns = now + 100 * NS_PER_SEC; /* looks go on */
	slot->wanted_ns = slot->onset_ns;
	const struct cause_wanted wanted = {
		.kinds = 1U << RECORD_KIND_SOFT_LOCKUP,
		.silent_ns = recorder->silent_ns,
	};
	if (!cause_find(slot, STUCK_CPU, &wanted, now, &fixture->cause))
		return -1;
	*state = fixture;
	return shared_create(recorder->nr_cpus, &fixture->watch.shared) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->watch.trigger.sysrq_fd);
	free(fixture->watch.recorder.record);
	free(fixture);
	return 0;
}

static void fire(struct fixture *fixture, int flags, int expected_errno)
{
	fixture->watch.trigger.sysrq_fd = open("/dev/null", flags);
	assert_true(fixture->watch.trigger.sysrq_fd >= 0);
	errno = ENOENT; /* of something long ago */
	assert_int_equal(sysrq_fire(&fixture->watch, &fixture->cause, 0), -1);
	assert_int_equal(errno, expected_errno);
	const struct record_header *header = recorder_header(&fixture->watch.recorder);
	assert_int_equal(header->fired_by, RECORD_FIRED_NONE);
	assert_int_equal(header->fired_ns, 0);
}

static void test_no_effect(void **state)
{
	fire(*state, O_WRONLY, 0);
}

static void test_refused(void **state)
{
	fire(*state, O_RDONLY, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("a write that succeeds and does nothing leaves no error of another time",
			  test_no_effect, setup, teardown),
		TEST_WITH("a write that is refused gives its error", test_refused, setup, teardown),
	};

	return RUN_TESTS(tests);
}
