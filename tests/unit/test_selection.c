// SPDX-License-Identifier: GPL-2.0-only
/* Which incidents a verb is about. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/selection.h"
#include "make_dump.h"

#define A "20260101T000000Z-0123abcd"
#define B "20260101T000001Z-0123abcd"
#define C "20260102T000000Z-0123abcd"
#define D "20260103T000000Z-ffffffff"
#define E "20260103T000000Z-ffffffff-2"

static struct incident_summary all[] = {
	{ .id = A, .onset_s = 100, .signature = (char *)"hung-task-1" },
	{ .id = B, .onset_s = 101, .signature = (char *)"busy-loop-2" },
	{ .id = C, .onset_s = 200, .signature = (char *)"hung-task-3" },
	{ .id = D, .onset_s = 300 },
	{ .id = E, .onset_s = 300 },
};

static const struct incidents store = { .list = { .data = all, .count = 5 } };

/* The exit status; below 0: it is to go on. */
#define PARSE(selection, ...) \
	parse(selection, (char *[]){ "list", "--store=/s", ##__VA_ARGS__, NULL })
static int parse(struct selection *selection, char **argv)
{
	static const struct selection_option none[] = { { NULL, NULL } };
	int argc = 0, null = dup(STDERR_FILENO);

	while (argv[argc])
		argc++;
	close(STDERR_FILENO);
	int status = selection_parse(argc, argv, none, "help", selection);
	dup2(null, STDERR_FILENO);
	close(null);
	return status;
}

/* "ACE" of the letters above, or the error's message. */
#define CHOSEN(...) chosen((char *[]){ "list", "--store=/s", ##__VA_ARGS__, NULL })
static const char *chosen(char **argv)
{
	static char said[256];
	struct selection selection;
	struct chosen ret;

	assert_true(parse(&selection, argv) < 0);
	struct error *err = selection_choose(&selection, &store, &ret);
	memset(said, 0, sizeof(said));
	if (err)
		strncpy(said, err->message, sizeof(said) - 1);
	error_destroy(err);
	for (size_t i = 0; i < ret.list.count; i++)
		said[i] = (char)('A' + (ret.list.data[i] - all));
	chosen_deinit(&ret);
	selection_deinit(&selection);
	return said;
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(CHOSEN(), "ABCDE");
	assert_string_equal(CHOSEN("-1"), "E");
	assert_string_equal(CHOSEN("-5", "-2"), "AD");
	assert_string_equal(CHOSEN(B, B, "-1"), "BE");
	assert_string_equal(CHOSEN("20260102"), "C");
	assert_string_equal(CHOSEN(D), "D");
	assert_string_equal(CHOSEN("-1", "--", "-2"), "DE");
}

static void test_no_such(void **state)
{
	(void)state;
	assert_string_equal(CHOSEN("20260101"), "20260101: that begins the ids of 2 incidents");
	assert_string_equal(CHOSEN("2027"), "2027: there is no such incident");
	assert_string_equal(CHOSEN(""), ": that begins the ids of 5 incidents");
	assert_string_equal(CHOSEN("-6"), "-6: there are 5 incidents");
	assert_string_equal(CHOSEN("-12"), "-12: there are 5 incidents");
}

static void test_filters(void **state)
{
	(void)state;
	assert_string_equal(CHOSEN("--since", "@101"), "BCDE");
	assert_string_equal(CHOSEN("--since", "@101", "--until=@200"), "BC");
	assert_string_equal(CHOSEN("--since", "-2h"), "");
	assert_string_equal(CHOSEN("--signature", "hung-task-3"), "C");
	assert_string_equal(CHOSEN("--signature", "hung-task-*"), "AC");
	assert_string_equal(CHOSEN("--signature", "hung-task-*", "-2"), "A");
	assert_string_equal(CHOSEN("--signature", "hung-task-*", B),
			    B ": there is no such incident");
}

static void test_usage(void **state)
{
	struct selection selection;
	static char *const wrong[] = { "--no-such", "-x",      "-1x",	   "-0",	"-01",
				       "--since=x", "--since", "--store=", "-123456789" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(PARSE(&selection, wrong[i]), 2);
		selection_deinit(&selection);
	}
	assert_true(PARSE(&selection) < 0);
	assert_true(selection_is_empty(&selection));
	assert_string_equal(selection.store, "/s");
	assert_true(PARSE(&selection, "--since=now") < 0);
	assert_false(selection_is_empty(&selection));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an id, the beginning of one, and -1 for the newest choose", test_words),
		TEST("what there is not, or more than once, is an error", test_no_such),
		TEST("time and signature say among which", test_filters),
		TEST("wrong usage is refused", test_usage),
	};

	return RUN_TESTS(tests);
}
