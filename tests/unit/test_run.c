// SPDX-License-Identifier: GPL-2.0-only
/* Children with a time limit. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/run.h"

static void assert_fails(struct error *err, const char *with)
{
	assert_non_null(err);
	if (!strstr(err->message, with))
		fail_msg("'%s' is not in '%s'", with, err->message);
	error_destroy(err);
}

static void test_success(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	assert_null(run_program(&run, (const char *[]){ "echo", "a", "b", NULL }));
	assert_int_equal(run.end, RUN_EXITED);
	assert_string_equal(run.messages, "a b\n");
}

static void test_status(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	assert_fails(run_program(&run, (const char *[]){ "sh", "-c",
							 "echo x; echo last >&2; exit 3", NULL }),
		     "sh: exit status 3: last");
	assert_int_equal(run.status, 3);
}

static void test_oom_score(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	run.oom_score = 700;
	assert_null(run_program(&run, (const char *[]){ "cat", "/proc/self/oom_score_adj", NULL }));
	assert_string_equal(run.messages, "700\n");
}

static void test_not_found(void **state)
{
	struct run run = RUN_INIT;
	struct error *err;

	(void)state;
	err = run_program(&run, (const char *[]){ "lockdump-no-such-program", NULL });
	assert_non_null(err);
	assert_int_equal(err->class, ERROR_NOT_FOUND);
	assert_int_equal(run.end, RUN_NOT_STARTED);
	error_destroy(err);
}

static void test_limit(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	run.limit_s = 1;
	assert_fails(run_program(&run, (const char *[]){ "sleep", "60", NULL }),
		     "not done after 1 s, killed");
	assert_int_equal(run.end, RUN_TIMEOUT);
}

static void test_grandchild(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	run.limit_s = 60;
	assert_null(run_program(
		&run, (const char *[]){ "sh", "-c", "sleep 600 & echo $!; exit 0", NULL }));
	/* It is still there, so nobody waited for its end. */
	int pid = atoi(run.messages);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void test_long_output(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	run.limit_s = 20;
	assert_null(run_program(&run, (const char *[]){ "seq", "1", "100000", NULL }));
	assert_true(strlen(run.messages) < sizeof(run.messages));
	const char *end = run.messages + strlen(run.messages) - strlen("99999\n100000\n");
	assert_string_equal(end, "99999\n100000\n");
}

static void test_output_to_file(void **state)
{
	struct run run = RUN_INIT;
	char path[] = "/tmp/lockdump-test.XXXXXX", text[64] = "";

	(void)state;
	run.output = mkstemp(path);
	run.input = run.output;
	assert_null(
		run_program(&run, (const char *[]){ "sh", "-c", "echo out; echo err >&2", NULL }));
	assert_string_equal(run.messages, "err\n");
	assert_true(pread(run.output, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "out\n");
	close(run.output);
	unlink(path);
}

static struct error *fails(void *arg)
{
	return error_create(ERROR_OTHER, "%s: it is gone", (const char *)arg);
}

static struct error *crashes(void *arg)
{
	(void)arg;
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
	return NULL;
}

static struct error *succeeds(void *arg)
{
	*(int *)arg = 1; /* in the child's memory */
	return NULL;
}

static void test_functions(void **state)
{
	struct run run = RUN_INIT;
	int mine = 0;

	(void)state;
	assert_fails(run_function(&run, fails, (void *)"the disk"), "the disk: it is gone");
	assert_fails(run_function(&run, crashes, NULL), "killed by signal 15 (Terminated)");
	assert_int_equal(run.end, RUN_SIGNALED);
	assert_null(run_function(&run, succeeds, &mine));
	assert_int_equal(mine, 0);
}

/* A tick's argument: the child waits for a line through @go, which comes with the third. */
struct ticks {
	int count;
	int go;
};

static void count(void *arg)
{
	struct ticks *ticks = arg;

	if (++ticks->count == 3)
		assert_int_equal(write(ticks->go, "\n", 1), 1);
}

static void test_tick(void **state)
{
	struct run run = RUN_INIT;
	struct ticks ticks = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	run.limit_s = 60;
	run.input = fds[0];
	run.tick = count;
	run.tick_arg = &ticks;
	ticks.go = fds[1];
	assert_null(run_program(&run, (const char *[]){ "sh", "-c", "read line", NULL }));
	assert_true(ticks.count >= 3);
	close(fds[0]);
	close(fds[1]);
}

static struct error *hangs_tells(void *arg)
{
	struct run run = RUN_INIT;

	(void)arg;
	run.echo = true;
	return run_program(&run,
			   (const char *[]){ "sh", "-c", "echo $$ >&2; exec sleep 60", NULL });
}

/* Gone, or a zombie that the machine's init has yet to reap. */
static bool has_ended(int pid)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return true;
	bool read = fgets(line, sizeof(line), file);
	fclose(file);
	return !read || strstr(line, ") Z ");
}

static void test_killed_along(void **state)
{
	struct run run = RUN_INIT;

	(void)state;
	run.limit_s = 1;
	assert_fails(run_function(&run, hangs_tells, NULL), "killed");
	int pid = atoi(run.messages);
	assert_true(pid > 1);
	for (int i = 0; i < 3000 && !has_ended(pid); i++)
		usleep(20000);
	assert_true(has_ended(pid));
}

/* --- pipelines ------------------------------------------------------------------------- */

static struct error *copies(void *arg)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, n) != n)
			return error_errno("%s", (const char *)arg);
	return NULL;
}

/* As what knows how its input ends. */
static struct error *copies_to_the_end(void *arg)
{
	struct error *err = copies(arg);

	return err ? err : error_create(ERROR_OTHER, "%s: it ended early", (const char *)arg);
}

static struct error *copies_some_and_crashes(void *arg)
{
	char buffer[64];

	(void)arg;
	if (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
		crashes(NULL);
	return NULL;
}

/* Runs @first, a copying @function, and @last. */
static struct error *run_three(const char *first, struct error *(*function)(void *arg),
			       const char *last, unsigned int limit_s)
{
	const char *const first_argv[] = { "sh", "-c", first, NULL };
	const char *const last_argv[] = { "sh", "-c", last, NULL };
	struct run_stage stages[] = {
		{ .run = RUN_INIT, .argv = first_argv },
		{ .run = RUN_INIT, .function = function, .arg = (void *)"copy" },
		{ .run = RUN_INIT, .argv = last_argv },
	};

	for (size_t i = 0; i < 3; i++)
		stages[i].run.limit_s = limit_s;
	return run_pipeline(stages, 3);
}

static void test_pipeline(void **state)
{
	char path[] = "/tmp/lockdump-test.XXXXXX", text[64] = "";
	const char *const count[] = { "wc", "-c", NULL };
	const char *const make[] = { "sh", "-c", "seq 1 200000; echo said >&2", NULL };
	struct run_stage stages[] = {
		{ .run = RUN_INIT, .argv = make },
		{ .run = RUN_INIT, .function = copies },
		{ .run = RUN_INIT, .argv = count },
	};

	(void)state;
	stages[2].run.output = mkstemp(path);
	assert_null(run_pipeline(stages, 3));
	assert_true(pread(stages[2].run.output, text, sizeof(text) - 1, 0) > 0);
	/* As many as there are digits and line breaks. */
	assert_string_equal(text, "1288895\n");
	assert_string_equal(stages[0].run.messages, "said\n");
	close(stages[2].run.output);
	unlink(path);
}

static void test_pipeline_causes(void **state)
{
	(void)state;
	assert_fails(run_three("exec yes", copies, "read line; echo full >&2; exit 3", 60),
		     "sh: exit status 3: full");
	assert_fails(run_three("echo a; kill -9 $$", copies_to_the_end, "cat", 60),
		     "sh: killed by signal 9");
	assert_fails(run_three("echo a; exit 4", copies_to_the_end, "cat", 60),
		     "sh: exit status 4");
	assert_fails(run_three("exec yes", copies_some_and_crashes, "cat >/dev/null", 60),
		     "killed by signal 15");
	assert_fails(run_three("exec yes", copies, "kill -9 $$", 60), "sh: killed by signal 9");
	assert_fails(run_three("echo a", copies_to_the_end, "cat >/dev/null", 60),
		     "copy: it ended early");
}

static void test_pipeline_hangs(void **state)
{
	(void)state;
	assert_fails(run_three("exec sleep 60", copies, "cat", 1),
		     "sh: not done after 1 s, killed");
	/* Who cannot write waits for who does not read. */
	assert_fails(run_three("exec yes", copies, "exec sleep 60", 1),
		     "not done after 1 s, killed");
}

static void test_pipeline_not_found(void **state)
{
	const char *const first[] = { "yes", NULL };
	const char *const missing[] = { "lockdump-no-such-program", NULL };
	struct run_stage stages[] = {
		{ .run = RUN_INIT, .argv = first },
		{ .run = RUN_INIT, .argv = missing },
	};

	(void)state;
	assert_fails(run_pipeline(stages, 2), "lockdump-no-such-program: not installed");
	assert_int_equal(stages[0].run.end, RUN_SIGNALED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a child can be the first to go when memory is short", test_oom_score),
		TEST("a program that exits with 0 is no error, and its messages are kept",
		     test_success),
		TEST("an exit status is an error that has the last message", test_status),
		TEST("a program that is not installed is told apart", test_not_found),
		TEST("a program that takes too long is killed", test_limit),
		TEST("a grandchild that keeps the pipe open is not waited for", test_grandchild),
		TEST("of long output the end is kept", test_long_output),
		TEST("stdout can go to a file", test_output_to_file),
		TEST("a function's error, crash and success come back, its memory does not",
		     test_functions),
		TEST("while a child runs, the caller looks in", test_tick),
		TEST("a killed child takes its own child along", test_killed_along),
		TEST("what one writes the next one reads, to the end", test_pipeline),
		TEST("of several that fail the one is told that the others failed of",
		     test_pipeline_causes),
		TEST("each one's time limit holds, whoever waits for it", test_pipeline_hangs),
		TEST("if one cannot be started, the others end", test_pipeline_not_found),
	};

	return RUN_TESTS(tests);
}
