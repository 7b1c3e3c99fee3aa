// SPDX-License-Identifier: GPL-2.0-only
/* What must be so before the watch begins. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/preflight.h"
#include "make_dump.h"
#include "test.h"

/* A process that holds the lock until it is killed. */
static pid_t start_holder(const char *path)
{
	int fds[2], fd;
	char byte = 0;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		byte = !preflight_alone(path, &fd);
		if (write(fds[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void test_alone(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", wanted[64];
	int fd = mkstemp(path), status;

	(void)state;
	close(fd);
	pid_t pid = start_holder(path);
	snprintf(wanted, sizeof(wanted), "another one runs, pid %d; end it first (kill %d)", pid,
		 pid);
	assert_error(preflight_alone(path, &fd), ERROR_OTHER, wanted);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* It has left nothing that would be in the way. */
	assert_no_error(preflight_alone(path, &fd));
	close(fd);
	unlink(path);
}

static void test_no_folder(void **state)
{
	int fd;

	(void)state;
	assert_error(preflight_alone("/nowhere/lock", &fd), ERROR_SYSTEM, "/nowhere/lock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a second watch is refused, and told who runs; a killed one leaves nothing",
		     test_alone),
		TEST("a lock that cannot be made is named", test_no_folder),
	};
	return RUN_TESTS(tests);
}
