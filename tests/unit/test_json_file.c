// SPDX-License-Identifier: GPL-2.0-only
/* JSON of files that nobody vouches for. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/report_head.h"

struct fixture {
	char folder[64];
	int dirfd;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/lockdump-test.XXXXXX");
	*state = fixture;
	if (!mkdtemp(fixture->folder))
		return -1;
	fixture->dirfd = open(fixture->folder, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	close(fixture->dirfd);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->folder);
	int ret = system(command);
	free(fixture);
	return ret;
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
	int fd = openat(fixture->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_read(const struct fixture *fixture, const char *text, const char *wanted)
{
	write_file(fixture, "file", text);
	struct json_object *json = json_file_read(fixture->dirfd, "file");
	if (wanted)
		assert_string_equal(json_object_to_json_string_ext(json, 0), wanted);
	else
		assert_null(json);
	json_object_put(json);
}

static void test_values(void **state)
{
	const struct fixture *fixture = *state;

	assert_read(fixture, " {\"a\": 1}\n", "{\"a\":1}");
	assert_read(fixture, "12", "12");
	assert_read(fixture, "{} {}", NULL);
	assert_read(fixture, "{}x", NULL);
	assert_read(fixture, "{", NULL);
	assert_read(fixture, "", NULL);
}

/* @count times @part. */
static char *repeat(const char *part, size_t count)
{
	size_t length = strlen(part);
	char *text = malloc(count * length + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, part, length);
	text[count * length] = '\0';
	return text;
}

static void test_bounds(void **state)
{
	const struct fixture *fixture = *state;
	char *deep = repeat("[", 10000), *wide = repeat("[],", 300000);

	assert_read(fixture, deep, NULL);
	wide[0] = '[';
	assert_read(fixture, wide, NULL);
	memcpy(wide, "{\"a\":[", 6);
	assert_read(fixture, wide, NULL);
	free(deep);
	free(wide);
	int fd = openat(fixture->dirfd, "huge", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	close(fd);
	assert_null(json_file_read(fixture->dirfd, "huge"));
	assert_int_equal(errno, EFBIG);
}

static void test_no_files(void **state)
{
	const struct fixture *fixture = *state;
	static const char *const names[] = { "link", "fifo", "folder" };
	static const char *const keys[] = { "a", NULL };

	write_file(fixture, "file", "{}");
	assert_int_equal(symlinkat("file", fixture->dirfd, "link"), 0);
	assert_int_equal(mkfifoat(fixture->dirfd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(fixture->dirfd, "folder", 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_null(json_file_read(fixture->dirfd, names[i]));
		assert_int_not_equal(errno, ENOENT);
		assert_null(json_file_head(fixture->dirfd, names[i], keys));
	}
	assert_null(json_file_read(fixture->dirfd, "absent"));
	assert_int_equal(errno, ENOENT);
}

static void assert_head(const struct fixture *fixture, const char *text, const char *wanted)
{
	static const char *const keys[] = { "a", "b", NULL };

	write_file(fixture, "file", text);
	struct json_object *json = json_file_head(fixture->dirfd, "file", keys);
	if (wanted)
		assert_string_equal(json_object_to_json_string_ext(json, 0), wanted);
	else
		assert_null(json);
	json_object_put(json);
}

static void test_head(void **state)
{
	const struct fixture *fixture = *state;

	assert_head(fixture, "{\"a\":1,\"b\":[2]}", "{\"a\":1,\"b\":[2]}");
	assert_head(fixture, "{ \"x\" : {\"a\": \"}\\\",\"} ,\n \"b\":\"y\" , \"a\": null, trash",
		    "{\"b\":\"y\",\"a\":null}");
	assert_head(fixture, "{\"a\": {\"c\": 1}, \"b\": [1, ", "{\"a\":{\"c\":1}}");
	assert_head(fixture, "{\"a\": x, \"b\": 1}", "{\"a\":null,\"b\":1}");
	assert_head(fixture, "{\"a\" 1}", "{}");
	assert_head(fixture, "{\"a\": 1", "{}");
	assert_head(fixture, "{\"a", "{}");
	assert_head(fixture, "{\"a\\", "{}");
	assert_head(fixture, "{\"a\"", "{}");
	assert_head(fixture, "{}", "{}");
	assert_head(fixture, "{", "{}");
	assert_head(fixture, "{\"x\": 1]]]], \"a\": 1}", "{}");
	assert_head(fixture, "[\"a\"]", NULL);
	assert_head(fixture, "", NULL);
}

static void test_report(void **state)
{
	const struct fixture *fixture = *state;
	struct report_head head;

	assert_false(report_head_read(fixture->dirfd, &head));
	write_file(fixture, "report.json",
		   "{\"schema\": \"lockdump.report/1\", \"source\": {\"vmlinux\": \"/v\"},"
		   "\"title\": \"BUG: soft lockup in f\", \"signature\": \"busy-loop-1\","
		   "\"kernel\": {\"release\": \"6.1\"}, \"verdict\": {\"kind\": \"busy-loop\","
		   "\"summary\": \"CPU 1\\u001b\"}, \"cpus\": [ ");
	assert_true(report_head_read(fixture->dirfd, &head));
	assert_string_equal(head.title, "BUG: soft lockup in f");
	assert_string_equal(head.signature, "busy-loop-1");
	assert_string_equal(head.kind, "busy-loop");
	assert_string_equal(head.summary, "CPU 1?");
	assert_string_equal(head.kernel, "6.1");
	assert_true(head.has_vmlinux);
}

int main(void)
{
#define JSON_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)
	const struct CMUnitTest tests[] = {
		JSON_TEST("a file is one value, and nothing behind it", test_values),
		JSON_TEST("what nests deep, has a million lists or a terabyte is refused",
			  test_bounds),
		JSON_TEST("only regular files are read", test_no_files),
		JSON_TEST("of a large object, whole or not, the first members can be had",
			  test_head),
		JSON_TEST("a report's head is in its first members", test_report),
	};

	return RUN_TESTS(tests);
}
