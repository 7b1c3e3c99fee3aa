/* SPDX-License-Identifier: GPL-2.0-only */
/* What cmocka needs to be included, and how a test gets its name: a sentence about behaviour. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* An entry of the array for RUN_TESTS(). */
#define TEST(sentence, function)                        \
	{                                               \
		.name = sentence, .test_func = function \
	}

/* The same, with what is made before it and taken away after. */
#define TEST_WITH(sentence, function, before, after)                           \
	{                                                                      \
		.name = sentence, .test_func = function, .setup_func = before, \
		.teardown_func = after                                         \
	}

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* cmocka's skip() does not say why; tests/run shows this line with the test's. */
#define SKIP(...)                                       \
	do {                                            \
		print_message("skipped: " __VA_ARGS__); \
		print_message("\n");                    \
		skip();                                 \
	} while (0)

#endif
