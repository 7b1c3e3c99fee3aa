// SPDX-License-Identifier: GPL-2.0-only
/* The signals that end a watch. */
#include "test.h"

#include "capture/signals.h"

static void test_end(void **state)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t signals;

	(void)state;
	signal(SIGHUP, SIG_DFL);
	signals_of_end(&signals);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_true(sigismember(&signals, wanted[i]));
		assert_true(signals_end(wanted[i]));
	}
	assert_false(signals_end(SIGCHLD));
	assert_false(signals_end(-1));
}

static void test_nohup(void **state)
{
	sigset_t signals;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	signals_of_end(&signals);
	assert_false(sigismember(&signals, SIGHUP));
	assert_true(sigismember(&signals, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a watch ends when it is asked to, and when its terminal goes", test_end),
		TEST("nohup keeps it", test_nohup),
	};

	return RUN_TESTS(tests);
}
