// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's settings for panics from outside, in a folder of its own. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/external.h"

#define WATCHDOG "sys/class/watchdog/watchdog"

struct fixture {
	char root[64];
	struct external external;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->root, "/tmp/lockdump-test.XXXXXX");
	*state = fixture;
	return mkdtemp(fixture->root) ? 0 : -1;
}

static void run(const struct fixture *fixture, const char *format, const char *what,
		const char *text)
{
	char command[512], tail[256];

	snprintf(tail, sizeof(tail), format, what, text);
	snprintf(command, sizeof(command), "cd '%s' && { %s; }", fixture->root, tail);
	assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->root);
	int ret = system(command);
	free(fixture);
	return ret;
}

/* A file of the kernel's that has @text. */
static void make(const struct fixture *fixture, const char *path, const char *text)
{
	run(fixture, "mkdir -p $(dirname %1$s) && echo %2$s >%1$s", path, text);
}

static void has(const struct fixture *fixture, const char *path, const char *text)
{
	run(fixture, "test \"$(cat %s)\" = \"%s\"", path, text);
}

static void test_nmi(void **state)
{
	struct fixture *fixture = *state;

	make(fixture, "proc/sys/kernel/unknown_nmi_panic", "0");
	make(fixture, "proc/sys/kernel/panic_on_unrecovered_nmi", "1");
	external_set(EXTERNAL_NMI, fixture->root, &fixture->external);
	has(fixture, "proc/sys/kernel/unknown_nmi_panic", "1");
	has(fixture, "proc/sys/kernel/panic_on_unrecovered_nmi", "1");
	external_restore(&fixture->external);
	has(fixture, "proc/sys/kernel/unknown_nmi_panic", "0");
	has(fixture, "proc/sys/kernel/panic_on_unrecovered_nmi", "1");
}

static void test_pretimeout(void **state)
{
	struct fixture *fixture = *state;

	make(fixture, WATCHDOG "0/pretimeout_governor", "noop");
	make(fixture, WATCHDOG "1/timeout", "30"); /* it has no pretimeout */
	external_set(EXTERNAL_PRETIMEOUT, fixture->root, &fixture->external);
	assert_int_equal(fixture->external.count, 1);
	has(fixture, WATCHDOG "0/pretimeout_governor", "panic");
	external_restore(&fixture->external);
	has(fixture, WATCHDOG "0/pretimeout_governor", "noop");
}

static void test_not_asked_for(void **state)
{
	struct fixture *fixture = *state;

	make(fixture, "proc/sys/kernel/unknown_nmi_panic", "0");
	make(fixture, WATCHDOG "0/pretimeout_governor", "noop");
	external_set(0, fixture->root, &fixture->external);
	assert_int_equal(fixture->external.count, 0);
	has(fixture, "proc/sys/kernel/unknown_nmi_panic", "0");
	has(fixture, WATCHDOG "0/pretimeout_governor", "noop");
}

static void test_nothing_there(void **state)
{
	struct fixture *fixture = *state;

	external_set(EXTERNAL_NMI | EXTERNAL_PRETIMEOUT, fixture->root, &fixture->external);
	assert_int_equal(fixture->external.count, 0);
	external_restore(&fixture->external);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("the kernel panics on unknown NMIs, and later as it did before", test_nmi,
			  setup, teardown),
		TEST_WITH("a watchdog's warning panics, and later does what it did before",
			  test_pretimeout, setup, teardown),
		TEST_WITH("what was not asked for stays as it is", test_not_asked_for, setup,
			  teardown),
		TEST_WITH("what is not there is no error", test_nothing_there, setup, teardown),
	};

	return RUN_TESTS(tests);
}
