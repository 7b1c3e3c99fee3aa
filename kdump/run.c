// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TICK_MS	       200
#define EOF_TICK_MS    5
#define MAX_LAST_READS 100
#define KILL_GRACE_MS  5000
#define ECHO_GRACE_MS  2000

double uptime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

struct error *run_find(const char *name, char **ret)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *dirs = NULL;

	if (strchr(name, '/')) {
		if (access(name, X_OK))
			return error_errno("%s", name);
		*ret = strdup(name);
		return *ret ? NULL : &error_no_memory;
	}
	/* Programs for root are looked for even if an unprivileged user's PATH was kept. */
	if (asprintf(&dirs, "%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
		     path ? path : "/usr/local/bin") < 0)
		return &error_no_memory;
	char *rest = dirs;
	for (char *dir; (dir = strsep(&rest, ":"));) {
		_cleanup_free_ char *file = NULL;
		if (asprintf(&file, "%s/%s", dir, name) < 0)
			return &error_no_memory;
		if (dir[0] == '/' && !access(file, X_OK)) {
			*ret = steal_ptr(file);
			return NULL;
		}
	}
	return error_create(ERROR_NOT_FOUND, "%s: not installed", name);
}

struct error *run_installed(const char *program, char **ret)
{
	_cleanup_free_ char *file = NULL;
	struct error *err = run_find(program, &file);

	if (err && err->class == ERROR_NOT_FOUND) {
		error_destroy(err);
		err = error_create(ERROR_NOT_FOUND,
				   "%s: not installed; install the package that has it (Debian: "
				   "apt-get install %s)",
				   program, !strcmp(program, "kexec") ? "kexec-tools" : program);
	}
	if (!err && ret)
		*ret = steal_ptr(file);
	return err;
}

/* The child's half of fork(): its file descriptors and signals. Exits on failure. */
static void child_setup(const struct run *run, pid_t parent, int messages)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	int input = run->input >= 0 ? run->input : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(messages, STDERR_FILENO) < 0 ||
	    dup2(run->output >= 0 ? run->output : messages, STDOUT_FILENO) < 0) {
		dprintf(messages, "file descriptors: %s\n", strerror(errno));
		_exit(127);
	}
	if (run->group)
		setpgid(0, 0);
	if (run->dirfd != AT_FDCWD && fchdir(run->dirfd)) {
		fprintf(stderr, "working folder: %s\n", strerror(errno));
		_exit(127);
	}
}

/* To stderr, which may be a console that takes nothing: then false, after a while. */
static bool pass_on(const char *data, size_t size)
{
	struct pollfd console = { .fd = STDERR_FILENO, .events = POLLOUT };

	while (size) {
		ssize_t n = write(STDERR_FILENO, data, size);
		if (n < 0 &&
		    (errno == EINTR || (errno == EAGAIN && poll(&console, 1, ECHO_GRACE_MS) > 0)))
			continue;
		if (n < 0)
			return false;
		data += n;
		size -= n;
	}
	return true;
}

/* Keeps the last bytes of what comes; false at the end of file. */
static bool read_messages(struct run *run, int fd)
{
	char buffer[1024];
	ssize_t n = read(fd, buffer, sizeof(buffer));
	size_t have = strlen(run->messages);
	const size_t room = sizeof(run->messages) - 1;

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	if (run->echo && !pass_on(buffer, n))
		run->echo = false;
	/* It is treated as a string: a stray NUL must not hide what follows. */
	for (ssize_t i = 0; i < n; i++)
		if (!buffer[i])
			buffer[i] = '?';
	if (have + n > room) {
		size_t drop = have + n - room;
		memmove(run->messages, run->messages + drop, have - drop);
		have -= drop;
	}
	memcpy(run->messages + have, buffer, n);
	run->messages[have + n] = '\0';
	return true;
}

/*
 * True once the child has ended, with its @status; reads messages and ticks meanwhile. The
 * end of messages comes with the child's end, mostly: so that is when to look more often.
 */
static bool wait_for(struct run *run, int messages, double until, int *status)
{
	struct pollfd fd = { .fd = messages, .events = POLLIN };
	double next_tick = 0;

	for (;;) {
		if (poll(&fd, 1, fd.fd < 0 ? EOF_TICK_MS : TICK_MS) > 0 &&
		    !read_messages(run, messages))
			fd.fd = -1;
		if (run->tick && uptime_s() >= next_tick) {
			run->tick(run->tick_arg);
			next_tick = uptime_s() + TICK_MS / 1000.0;
		}
		if (waitpid(run->pid, status, WNOHANG) == run->pid) {
			/* A grandchild may keep the pipe open: take what is there, wait for no more. */
			for (int i = 0; i < MAX_LAST_READS && poll(&fd, 1, 0) > 0; i++)
				if (!read_messages(run, messages))
					break;
			return true;
		}
		if (until && uptime_s() >= until)
			return false;
	}
}

/* Cuts the blanks at the end off. */
static const char *last_line(char *messages)
{
	size_t len = strlen(messages);

	while (len && strchr(" \r\n\t", messages[len - 1]))
		messages[--len] = '\0';
	char *line = messages + len;
	while (line > messages && !strchr("\r\n", line[-1]))
		line--;
	return line;
}

static struct error *outcome(struct run *run)
{
	if (run->end == RUN_EXITED && !run->status)
		return NULL;
	const char *line = last_line(run->messages);
	const char *colon = *line ? ": " : "";

	switch (run->end) {
	case RUN_EXITED:
		return error_create(ERROR_OTHER, "exit status %d%s%s", run->status, colon, line);
	case RUN_SIGNALED:
		return error_create(ERROR_OTHER, "killed by signal %d (%s)%s%s", run->status,
				    strsignal(run->status), colon, line);
	case RUN_TIMEOUT:
		return error_create(ERROR_OTHER, "not done after %u s, killed%s%s", run->limit_s,
				    colon, line);
	default:
		return error_create(ERROR_OTHER, "not done after %u s, and cannot be killed%s%s",
				    run->limit_s, colon, line);
	}
}

/* Waits for the child within the limit and fills in how it ended. */
static void supervise(struct run *run, int messages)
{
	double start = uptime_s();
	int status = 0;
	bool ended = wait_for(run, messages, run->limit_s ? start + run->limit_s : 0, &status);

	run->end = WIFSIGNALED(status) ? RUN_SIGNALED : RUN_EXITED;
	if (!ended) {
		kill(run->group ? -run->pid : run->pid, SIGKILL);
		ended = wait_for(run, messages, uptime_s() + KILL_GRACE_MS / 1000.0, &status);
		run->end = ended ? RUN_TIMEOUT : RUN_STUCK;
	}
	run->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	run->seconds = uptime_s() - start;
}

/* Forks. In the parent, returns with the child's end in @run; in the child, *@ret_child is true. */
static struct error *spawn(struct run *run, bool *ret_child)
{
	int pipefd[2];
	pid_t parent = getpid();

	*ret_child = false;
	run->end = RUN_NOT_STARTED;
	run->messages[0] = '\0';
	fflush(NULL);
	if (pipe2(pipefd, O_CLOEXEC))
		return error_errno("pipe");
	_cleanup_close_ int messages = pipefd[0];
	run->pid = fork();
	if (!run->pid) {
		child_setup(run, parent, pipefd[1]);
		*ret_child = true;
		return NULL;
	}
	close(pipefd[1]);
	if (run->pid < 0)
		return error_errno("fork");
	supervise(run, messages);
	return NULL;
}

struct error *run_program(struct run *run, const char *const argv[])
{
	_cleanup_free_ char *file = NULL;
	bool child;
	struct error *err = run_find(argv[0], &file);

	if (!err)
		err = spawn(run, &child);
	if (err)
		return err;
	if (child) {
		execv(file, (char *const *)argv);
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		_exit(127);
	}
	return error_prefix(outcome(run), "%s", argv[0]);
}

struct error *run_function(struct run *run, struct error *(*function)(void *arg), void *arg)
{
	bool child;
	struct error *err = spawn(run, &child);

	if (err)
		return err;
	if (child) {
		err = function(arg);
		if (err)
			fprintf(stderr, "%s\n", err->message);
		fflush(stdout);
		_exit(!!err);
	}
	if (run->end == RUN_EXITED && run->status == 1 && *last_line(run->messages))
		return error_create(ERROR_OTHER, "%s", last_line(run->messages));
	return outcome(run);
}
