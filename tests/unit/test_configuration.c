// SPDX-License-Identifier: GPL-2.0-only
/* The configuration of 'lockdump watch': the main file, drop-ins, and options over both. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/options.h"

struct fixture {
	char folder[64];
	char said[1024]; /* on stderr */
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[128];

	strcpy(fixture->folder, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(path, sizeof(path), "%s/lockdump.conf.d", fixture->folder);
	*state = fixture;
	return mkdir(path, 0755);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->folder);
	int ret = system(command);
	free(fixture);
	return ret;
}

static void put(const struct fixture *fixture, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct error *parse(struct fixture *fixture, char **argv, struct watch_options *ret)
{
	FILE *file = tmpfile();
	int argc = 0, copy = dup(STDERR_FILENO);

	while (argv[argc])
		argc++;
	dup2(fileno(file), STDERR_FILENO);
	struct error *err = watch_options_parse(argc, argv, fixture->folder, ret);
	fflush(stderr);
	dup2(copy, STDERR_FILENO);
	close(copy);
	rewind(file);
	fixture->said[fread(fixture->said, 1, sizeof(fixture->said) - 1, file)] = '\0';
	fclose(file);
	return err;
}

/* With the words after the verb. */
#define ACCEPTED(fixture, ...) accepted(fixture, (char *[]){ "watch", ##__VA_ARGS__, NULL })
static struct watch_options accepted(struct fixture *fixture, char **argv)
{
	struct watch_options options;
	struct error *err = parse(fixture, argv, &options);

	if (err)
		fail_msg("%s", err->message);
	return options;
}

/* lockdump.conf is @text; the error begins with its path, and then says @why. */
static void refused(struct fixture *fixture, const char *text, const char *why)
{
	struct watch_options options;
	char wanted[256];

	put(fixture, "lockdump.conf", text);
	struct error *err = parse(fixture, (char *[]){ "watch", NULL }, &options);
	assert_non_null(err);
	snprintf(wanted, sizeof(wanted), "%s/lockdump.conf%s", fixture->folder, why);
	assert_string_equal(err->message, wanted);
	error_destroy(err);
}

static void test_none(void **state)
{
	struct fixture *fixture = *state;
	struct watch_options options = ACCEPTED(fixture);

	assert_int_equal(options.threshold_ns, 10 * NS_PER_SEC);
	watch_options_deinit(&options);
	strcat(fixture->folder, "/absent");
	options = ACCEPTED(fixture);
	assert_string_equal(options.store, "/var/crash");
	fixture->folder[strlen(fixture->folder) - strlen("/absent")] = '\0';
	watch_options_deinit(&options);
}

static void test_all(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "lockdump.conf",
	    "# comment\n"
	    "\n"
	    "[Watch]\r\n"
	    " Threshold = 2.5 \n"
	    "  ; another = comment\n"
	    "Trigger=sysrq\n"
	    "TriggerAfter=\\\n"
	    "# in between\n"
	    "  7\n"
	    "Store=/a b#c;d\n"
	    "Print=Yes");
	struct watch_options options = ACCEPTED(fixture);
	assert_string_equal(fixture->said, "");
	assert_int_equal(options.threshold_ns, 2500 * NS_PER_MS);
	assert_int_equal(options.trigger, RECORD_TRIGGER_SYSRQ);
	assert_int_equal(options.trigger_after_ns, 7 * NS_PER_SEC);
	assert_string_equal(options.store, "/a b#c;d");
	assert_true(options.print);
	assert_false(options.once);
	watch_options_deinit(&options);
}

static void test_order(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "lockdump.conf", "[Watch]\nThreshold=1\nStore=/main\nTrigger=sysrq\n");
	put(fixture, "lockdump.conf.d/20-b.conf", "[Watch]\nThreshold=3\n");
	put(fixture, "lockdump.conf.d/10-a.conf", "[Watch]\nThreshold=2\nStore=/a\n");
	put(fixture, "lockdump.conf.d/30-c.conf.bak", "[Watch]\nThreshold=4\n");
	put(fixture, "lockdump.conf.d/.40-d.conf", "[Watch]\nThreshold=5\n");
	struct watch_options options = ACCEPTED(fixture);
	assert_int_equal(options.threshold_ns, 3 * NS_PER_SEC);
	assert_string_equal(options.store, "/a");
	assert_int_equal(options.trigger, RECORD_TRIGGER_SYSRQ);
	watch_options_deinit(&options);

	options = ACCEPTED(fixture, "--threshold=6", "--trigger", "off");
	assert_int_equal(options.threshold_ns, 6 * NS_PER_SEC);
	assert_int_equal(options.trigger, RECORD_TRIGGER_OFF);
	assert_string_equal(options.store, "/a");
	watch_options_deinit(&options);
}

static void test_empty(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "lockdump.conf", "[Watch]\nThreshold=30\nTriggerAfter=40\nStore=/main\n");
	put(fixture, "lockdump.conf.d/a.conf", "[Watch]\nThreshold=\nTriggerAfter=\nStore=\n");
	struct watch_options options = ACCEPTED(fixture);
	assert_int_equal(options.threshold_ns, 10 * NS_PER_SEC);
	assert_int_equal(options.trigger_after_ns, 20 * NS_PER_SEC);
	assert_string_equal(options.store, "/var/crash");
	watch_options_deinit(&options);
}

static void test_lists(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "lockdump.conf", "[Watch]\nProbe=a\nProbe=b\n");
	put(fixture, "lockdump.conf.d/a.conf", "[Watch]\nProbe=c\n");
	struct watch_options options = ACCEPTED(fixture);
	assert_int_equal(options.probes.count, 3);
	assert_string_equal(options.probes.names[2], "c");
	assert_true(options.probes.optional);
	watch_options_deinit(&options);

	put(fixture, "lockdump.conf.d/b.conf", "[Watch]\nProbe=\nProbe=d\n");
	options = ACCEPTED(fixture);
	assert_int_equal(options.probes.count, 1);
	assert_string_equal(options.probes.names[0], "d");
	watch_options_deinit(&options);

	options = ACCEPTED(fixture, "--probe=e", "--probe=d");
	assert_int_equal(options.probes.count, 2);
	assert_string_equal(options.probes.names[0], "e");
	assert_false(options.probes.optional);
	watch_options_deinit(&options);
}

static void test_unknown(void **state)
{
	struct fixture *fixture = *state;
	char wanted[512];

	put(fixture, "lockdump.conf",
	    "[Watch]\n\nTreshold=1\nOnce=yes\nThreshold=2\n[Wacth]\nThreshold=3\n");
	struct watch_options options = ACCEPTED(fixture);
	assert_int_equal(options.threshold_ns, 2 * NS_PER_SEC);
	snprintf(wanted, sizeof(wanted),
		 "lockdump: %1$s/lockdump.conf:3: [Watch] Treshold=: no such key; ignored\n"
		 "lockdump: %1$s/lockdump.conf:4: [Watch] Once=: no such key; ignored\n"
		 "lockdump: %1$s/lockdump.conf:7: [Wacth] Threshold=: no such section; ignored\n",
		 fixture->folder);
	assert_string_equal(fixture->said, wanted);
	watch_options_deinit(&options);
}

static void test_wrong(void **state)
{
	struct fixture *fixture = *state;

	refused(fixture, "[Watch]\n#\nThreshold=soon\n",
		":3: Threshold=soon: not a number of seconds");
	refused(fixture, "[Watch]\nThreshold=\\\n-1\n",
		":2: Threshold=-1: must be from 0.1 to 86400 seconds");
	refused(fixture, "[Watch]\nTrigger=never\n",
		":2: Trigger=never: no such mode; off, sysrq, kernel or auto");
	refused(fixture, "[Watch]\nPrint=2\n", ":2: Print=2: neither yes nor no");
	refused(fixture, "[Watch]\nThreshold\n", ":2: neither [Section] nor Key=value: Threshold");
	refused(fixture, "[Watch\n", ":1: neither [Section] nor Key=value: [Watch");
	refused(fixture, "=1\n", ":1: neither [Section] nor Key=value: =1");
}

static void test_no_file(void **state)
{
	struct fixture *fixture = *state;
	struct watch_options options;
	char path[128];

	snprintf(path, sizeof(path), "%s/lockdump.conf.d/a.conf", fixture->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	struct error *err = parse(fixture, (char *[]){ "watch", NULL }, &options);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "lockdump.conf.d/a.conf: not a regular file"));
	error_destroy(err);
}

static void test_help(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "lockdump.conf", "[Watch]\nThreshold=soon\n");
	assert_true(ACCEPTED(fixture, "--help").help);
}

#define CONFIGURATION_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIGURATION_TEST("without a configuration the defaults hold", test_none),
		CONFIGURATION_TEST("each key is taken, comments and blanks are not", test_all),
		CONFIGURATION_TEST("drop-ins win over the main file in the order of their names, "
				   "options over all",
				   test_order),
		CONFIGURATION_TEST("an empty value brings the default back", test_empty),
		CONFIGURATION_TEST(
			"what may be given several times adds up until it is given elsewhere",
			test_lists),
		CONFIGURATION_TEST("what is not known is told with its file and line, and ignored",
				   test_unknown),
		CONFIGURATION_TEST("a wrong value is refused with its file and line", test_wrong),
		CONFIGURATION_TEST("what is no regular file is refused", test_no_file),
		CONFIGURATION_TEST("--help does not look at the configuration", test_help),
	};

	return RUN_TESTS(tests);
}
