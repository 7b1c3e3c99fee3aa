// SPDX-License-Identifier: GPL-2.0-only
/* What an analysis can do in its sandbox, and what not. Under a memory checker there is none. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sandbox.h"
#include "make_dump.h"
#include "test.h"

static struct error *run(struct error *(*function)(void *arg), void *arg, const char *readable)
{
	const struct sandbox sandbox = { .readable = &readable, .nr_readable = 1 };

	return sandbox_run(&sandbox, function, arg);
}

static struct error *nothing(void *arg)
{
	(void)arg;
	return NULL;
}

static struct error *corrupt(void *arg)
{
	(void)arg;
	return error_fault(ERROR_CORRUPT, 0xffffffff81000000, "0x%x: no such thing", 17);
}

static struct error *crash(void *arg)
{
	(void)arg;
	raise(SIGKILL);
	return NULL;
}

static struct error *leave(void *arg)
{
	(void)arg;
	_exit(3);
}

static struct error *write_to_nobody(void *arg)
{
	(void)arg;
	raise(SIGPIPE);
	return NULL;
}

/* "lockdump report VMCORE | head" is no error to tell of. */
static void nobody_reads(void **state)
{
	int status;

	(void)state;
	pid_t pid = fork();
	if (!pid) {
		error_destroy(run(write_to_nobody, NULL, NULL));
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void what_comes_back(void **state)
{
	(void)state;
	assert_no_error(run(nothing, NULL, NULL));
	struct error *err = run(corrupt, NULL, NULL);
	assert_true(err && err->address == 0xffffffff81000000);
	assert_error(err, ERROR_CORRUPT, "0x11: no such thing");
	assert_error(run(crash, NULL, NULL), ERROR_OTHER, "signal 9");
	assert_error(run(leave, NULL, NULL), ERROR_OTHER, "exit status 3");
}

/* More than the parent takes, in a pipe that has less room. */
static struct error *long_message(void *arg)
{
	(void)arg;
	return error_create(ERROR_OTHER, "%0200000d", 1);
}

static void long_errors(void **state)
{
	(void)state;
	assert_error(run(long_message, NULL, NULL), ERROR_OTHER, "0000");
}

/* What an analysis does: it reads a file, takes memory and gives it back, asks for the time, and writes. */
static struct error *work(void *path)
{
	char text[100] = "";
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct stat st;
	time_t now = time(NULL);
	struct tm tm;

	if (!file || !fgets(text, sizeof(text), file) || fstat(fileno(file), &st))
		return error_errno("%s", (char *)path);
	for (size_t size = 1; size < 64u << 20; size *= 3) {
		char *memory = malloc(size);
		if (!memory || !(memory = realloc(memory, size * 2)))
			return &error_no_memory;
		memset(memory, 1, size * 2);
		free(memory);
	}
	gmtime_r(&now, &tm);
	isatty(STDOUT_FILENO);
	printf("%s", text);
	return fflush(stdout) ? error_errno("stdout") : NULL;
}

static bool is_confined(void);

static void an_analysis_works(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", other[] = "/tmp/lockdump-test-XXXXXX";
	int fd = mkstemp(path), other_fd = mkstemp(other);

	(void)state;
	assert_int_equal(write(fd, "# read\n", 7), 7);
	assert_int_equal(write(other_fd, "# read\n", 7), 7);
	assert_no_error(run(work, path, path));
	assert_no_error(run(work, path, "/tmp"));
	/* Another file cannot be read, where the kernel has Landlock; nor can what no sandbox was told of. */
	struct error *err = run(work, other, path);
	if (is_confined() && err)
		assert_error(err, ERROR_SYSTEM, "Permission denied");
	close(fd);
	close(other_fd);
	unlink(path);
	unlink(other);
}

static struct error *make_file(void *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	return fd < 0 ? error_errno("%s", (char *)path) : NULL;
}

static struct error *remove_file(void *path)
{
	return unlink(path) ? error_errno("%s", (char *)path) : NULL;
}

static struct error *connect_out(void *arg)
{
	(void)arg;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? error_errno("socket") : NULL;
}

static struct error *start_program(void *arg)
{
	(void)arg;
	execl("/bin/true", "true", NULL);
	return error_errno("execl");
}

static struct error *make_process(void *arg)
{
	(void)arg;
	return fork() < 0 ? error_errno("fork") : NULL;
}

static struct error *make_code(void *arg)
{
	(void)arg;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code == MAP_FAILED ? error_errno("mmap") : NULL;
}

static struct error *signal_parent(void *arg)
{
	(void)arg;
	return kill(getppid(), 0) ? error_errno("kill") : NULL;
}

static bool is_confined(void)
{
	struct error *err = run(connect_out, NULL, NULL);
	bool ret = err;

	error_destroy(err);
	return ret;
}

static void what_is_forbidden(void **state)
{
	static struct error *(*const functions[])(void *arg) = {
		make_file,    remove_file, connect_out,	  start_program,
		make_process, make_code,   signal_parent,
	};
	char path[] = "/tmp/lockdump-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	if (!is_confined())
		SKIP("a memory checker, or a kernel without seccomp");
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		assert_error(run(functions[i], path, "/tmp"), ERROR_OTHER, "no analysis needs");
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	unlink(path);
}

static void without(void **state)
{
	const struct sandbox sandbox = { .off = true };
	char path[] = "/tmp/lockdump-test-XXXXXX";

	(void)state;
	close(mkstemp(path));
	assert_no_error(sandbox_run(&sandbox, remove_file, path));
	assert_int_equal(access(path, F_OK), -1);
}

static struct error *never_end(void *arg)
{
	(void)arg;
	for (volatile bool forever = true; forever;)
		;
	return NULL;
}

static struct error *take_memory(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < 64; i++)
		if (!malloc(16 << 20))
			return &error_no_memory;
	return NULL;
}

static struct error *die_of_memory(void *arg)
{
	if (take_memory(arg))
		sandbox_no_memory();
	return NULL;
}

static void limits(void **state)
{
	const struct sandbox sandbox = { .name = "vmcore", .most_s = 1, .most_bytes = 64 << 20 };
	const struct sandbox off = { .most_s = 1, .most_bytes = 64 << 20, .off = true };

	(void)state;
	if (!is_confined())
		SKIP("a memory checker, or a kernel without seccomp");
	assert_error(sandbox_run(&sandbox, never_end, NULL), ERROR_OTHER,
		     "vmcore: the analysis took more than 1 s of CPU time");
	assert_error(sandbox_run(&sandbox, take_memory, NULL), ERROR_OTHER,
		     "vmcore: the analysis took more than 64 MB of memory");
	assert_error(sandbox_run(&sandbox, die_of_memory, NULL), ERROR_OTHER,
		     "vmcore: the analysis took more than 64 MB of memory");
	assert_no_error(sandbox_run(&off, take_memory, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("who reads no more of a report ends it, silently", nobody_reads),
		TEST("an error comes back as it was, and a death is one", what_comes_back),
		TEST("a message that has no end is cut off", long_errors),
		TEST("files that it was given are read, memory and time can be had",
		     an_analysis_works),
		TEST("files made or removed, sockets, programs, code and signals end the analysis",
		     what_is_forbidden),
		TEST("too much time or memory ends the analysis, and that is said", limits),
		TEST("it can be turned off", without),
	};
	return RUN_TESTS(tests);
}
