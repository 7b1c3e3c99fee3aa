// SPDX-License-Identifier: GPL-2.0-only
/* The metrics, as a strict reader of Prometheus' text format takes them. */
#include "test.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/metrics.h"
#include "make_dump.h"

static const struct metrics example = {
	.watching = true,
	.hook = "account_process_tick",
	.trigger = "sysrq",
	.ticks = 12345678901234,
	.heartbeat_s = 1790000000.25,
	.threshold_s = 2.5,
	.stalls = 3,
	.stalled_cpus = 1,
	.longest_s = 12.0625,
	.alarms = { [RECORD_KIND_RCU_STALL] = 4 },
	.incidents = 2,
	.triggers = 1,
	.onset_s = 1789999990.5,
	.cpu = 1,
	.comm = "a\\b\"c\nd\xff\x1b",
	.incident = "20261122T224610Z-1b2c3d4e",
};

static char *print(const struct metrics *metrics)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_print(metrics, out);
	fclose(out);
	return text;
}

static void test_values(void **state)
{
	static const char *const wanted[] = {
		"\nlockdump_watching{hook=\"account_process_tick\",trigger=\"sysrq\"} 1\n",
		"\nlockdump_hook_calls_total 12345678901234\n",
		"\nlockdump_heartbeat_timestamp_seconds 1790000000.250\n",
		"\nlockdump_threshold_seconds 2.500\n",
		"\nlockdump_stalls_total 3\n",
		"\nlockdump_stalled_cpus 1\n",
		"\nlockdump_longest_stall_seconds 12.062\n",
		"\nlockdump_alarms_total{kind=\"hard-lockup\"} 0\n",
		"\nlockdump_alarms_total{kind=\"rcu-stall\"} 4\n",
		"\nlockdump_incidents_total 2\n",
		"\nlockdump_triggers_total 1\n",
		"\nlockdump_trigger_failures_total 0\n",
		"\nlockdump_last_stall_timestamp_seconds{cpu=\"1\",comm=\"a\\\\b\\\"c\\nd??\","
		"incident=\"20261122T224610Z-1b2c3d4e\"} 1789999990.500\n",
	};
	char *text = print(&example);

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("no '%s' in '%s'", wanted[i], text);
	free(text);
}

static void test_no_stall(void **state)
{
	struct metrics metrics = example;

	(void)state;
	metrics.onset_s = 0;
	char *text = print(&metrics);
	assert_null(strstr(text, "last_stall"));
	free(text);
}

static const char *skip_name(const char *c)
{
	assert_true(isalpha(*c) || *c == '_');
	while (isalnum(*c) || *c == '_')
		c++;
	return c;
}

/* NAME="VALUE",... up to the brace. */
static const char *skip_labels(const char *c)
{
	for (;; c++) {
		c = skip_name(c);
		assert_memory_equal(c, "=\"", 2);
		for (c += 2; *c != '"'; c++) {
			assert_true(*c >= ' ' && *c <= '~');
			if (*c == '\\') {
				c++;
				assert_true(*c == '\\' || *c == '"' || *c == 'n');
			}
		}
		c++;
		if (*c != ',')
			break;
	}
	assert_int_equal(*c, '}');
	return c + 1;
}

static void check_sample(const char *line, const char *name)
{
	const char *c = skip_name(line);
	char *end;

	assert_int_equal(c - line, strlen(name));
	assert_memory_equal(line, name, c - line);
	if (*c == '{')
		c = skip_labels(c + 1);
	assert_int_equal(*c, ' ');
	strtod(c + 1, &end);
	assert_true(end > c + 1 && !*end);
}

/* Each metric is its HELP, its TYPE, and its samples; a counter's name ends so. */
static void test_format(void **state)
{
	char *text = print(&example), *rest, help[128], type[128], kind[16];

	(void)state;
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (char *line = strtok_r(text, "\n", &rest); line;) {
		assert_int_equal(sscanf(line, "# HELP %127s %*s", help), 1);
		line = strtok_r(NULL, "\n", &rest);
		assert_int_equal(sscanf(line, "# TYPE %127s %15s", type, kind), 2);
		assert_string_equal(help, type);
		size_t length = strlen(type);
		bool total = length > 6 && !strcmp(type + length - 6, "_total");
		assert_string_equal(kind, total ? "counter" : "gauge");
		line = strtok_r(NULL, "\n", &rest);
		assert_non_null(line);
		do
			check_sample(line, type);
		while ((line = strtok_r(NULL, "\n", &rest)) && *line != '#');
	}
	free(text);
}

static void test_write(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", path[64], tmp[64], victim[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lockdump.prom", folder);
	snprintf(tmp, sizeof(tmp), "%s/lockdump.prom.tmp", folder);
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	assert_int_equal(symlink(victim, tmp), 0);
	for (int i = 0; i < 2; i++)
		assert_null(metrics_write(&example, path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(st.st_size > 1000);
	assert_int_equal(access(victim, F_OK), -1);
	assert_int_equal(access(tmp, F_OK), -1);
	unlink(path);

	assert_int_equal(mkdir(path, 0700), 0);
	struct error *err = metrics_write(&example, path);
	assert_non_null(err);
	assert_non_null(strstr(err->message, path));
	error_destroy(err);
	assert_int_equal(access(tmp, F_OK), -1);
	rmdir(path);
	rmdir(folder);
}

/* Of a device nothing would be left; a link may lead to one. */
static void test_special(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_error(metrics_write(&example, path), ERROR_OTHER,
		     "/fifo: not a regular file; name another");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_error(metrics_write(&example, path), ERROR_OTHER, "not a regular file");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each number is there, and labels are escaped", test_values),
		TEST("without a stall there is no last one", test_no_stall),
		TEST("every line is of Prometheus' text format", test_format),
		TEST("the file is replaced whole, for all to read, and nothing else is written",
		     test_write),
		TEST("what is no regular file keeps its place", test_special),
	};

	return RUN_TESTS(tests);
}
