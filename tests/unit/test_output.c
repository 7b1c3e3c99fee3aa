// SPDX-License-Identifier: GPL-2.0-only
/* Where a verb's result goes. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_dump.h"
#include "report/output.h"

static char folder[] = "/tmp/test_output.XXXXXX";

static char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void assert_content(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	assert_string_equal(text, expected);
	fclose(file);
}

static void write_to(const char *path, const char *text)
{
	struct output output;

	assert_no_error(output_open(path, &output));
	fputs(text, output.file);
	assert_no_error(output_close(&output, NULL));
}

static void a_new_file(void **state)
{
	struct stat st;

	(void)state;
	write_to(in_folder("new"), "one");
	assert_content(in_folder("new"), "one");
	assert_int_equal(stat(in_folder("new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void an_error_leaves_the_old(void **state)
{
	struct output output;

	(void)state;
	write_to(in_folder("old"), "old");
	assert_no_error(output_open(in_folder("old"), &output));
	fputs("half of the n", output.file);
	assert_error(output_close(&output, error_create(ERROR_OTHER, "broken")), ERROR_OTHER,
		     "broken");
	assert_content(in_folder("old"), "old");
}

static void a_link_stays_one(void **state)
{
	struct stat st;
	char target[128];

	(void)state;
	write_to(in_folder("target"), "before");
	snprintf(target, sizeof(target), "%s", in_folder("target"));
	assert_int_equal(symlink(target, in_folder("link")), 0);
	write_to(in_folder("link"), "after");
	assert_int_equal(lstat(in_folder("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_content(target, "after");
}

static void a_device_stays_one(void **state)
{
	struct output output;
	struct stat st;

	(void)state;
	write_to("/dev/null", "nothing");
	assert_no_error(output_open("/dev/full", &output));
	fputs("something", output.file);
	assert_error(output_close(&output, NULL), ERROR_SYSTEM, "No space left");
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void no_such_folder(void **state)
{
	struct output output;

	(void)state;
	assert_error(output_open(in_folder("absent/file"), &output), ERROR_SYSTEM, "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a new file is the owner's alone", a_new_file),
		TEST("an error leaves what was there", an_error_leaves_the_old),
		TEST("a symbolic link is followed, not replaced", a_link_stays_one),
		TEST("a device is written, not replaced", a_device_stays_one),
		TEST("a folder that is not there is an error", no_such_folder),
	};
	if (!mkdtemp(folder))
		return 1;
	return RUN_TESTS(tests);
}
