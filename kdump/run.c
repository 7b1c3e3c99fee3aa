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

#define STAGE_PIPE_SIZE (1 << 20)

double uptime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

double realtime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
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

void run_set_oom_score(int score)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "%d\n", score);
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
	if (run->oom_score)
		run_set_oom_score(run->oom_score);
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

/* What waiting for a child goes by. */
struct watched {
	struct run *run;
	double start_s;
	double until_s; /* 0: for ever */
	double next_tick_s;
	bool killed;
	bool over;
};

/* A grandchild may keep the pipe open: take what is there, wait for no more. */
static void read_last_messages(struct run *run, struct pollfd *fd)
{
	for (int i = 0; i < MAX_LAST_READS && poll(fd, 1, 0) > 0; i++)
		if (!read_messages(run, fd->fd))
			break;
}

/* True once the child has ended; then its run says how. */
static bool has_ended(struct watched *watched, struct pollfd *fd)
{
	struct run *run = watched->run;
	int status;

	if (waitpid(run->pid, &status, WNOHANG) != run->pid)
		return false;
	read_last_messages(run, fd);
	run->end = watched->killed ? RUN_TIMEOUT : WIFSIGNALED(status) ? RUN_SIGNALED : RUN_EXITED;
	run->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

/* Kills the child when its time is over; true if that did not end it either. */
static bool is_stuck(struct watched *watched)
{
	struct run *run = watched->run;
	double now_s = uptime_s();

	if (!watched->until_s || now_s < watched->until_s)
		return false;
	if (watched->killed) {
		run->end = RUN_STUCK;
		return true;
	}
	kill(run->group ? -run->pid : run->pid, SIGKILL);
	watched->killed = true;
	watched->until_s = now_s + KILL_GRACE_MS / 1000.0;
	return false;
}

static void look_at(struct watched *watched, struct pollfd *fd)
{
	struct run *run = watched->run;

	if (fd->revents && !read_messages(run, fd->fd))
		fd->fd = -1;
	if (run->tick && uptime_s() >= watched->next_tick_s) {
		run->tick(run->tick_arg);
		watched->next_tick_s = uptime_s() + TICK_MS / 1000.0;
	}
	watched->over = has_ended(watched, fd) || is_stuck(watched);
	if (!watched->over)
		return;
	run->seconds = uptime_s() - watched->start_s;
	fd->fd = -1;
}

/*
 * Waits for the children of @runs, @count of them at the most RUN_MOST, each within its limit, and fills in how they ended;
 * reads their messages and ticks meanwhile. The end of messages comes with a child's end, mostly: so that is when to look
 * more often.
 */
static void supervise(struct run *const runs[], size_t count)
{
	struct watched watched[RUN_MOST] = { 0 };
	struct pollfd fds[RUN_MOST];
	size_t left = count;

	for (size_t i = 0; i < count; i++) {
		watched[i] = (struct watched){ .run = runs[i], .start_s = uptime_s() };
		if (runs[i]->limit_s)
			watched[i].until_s = watched[i].start_s + runs[i]->limit_s;
		fds[i] = (struct pollfd){ .fd = runs[i]->pipe, .events = POLLIN };
	}
	while (left) {
		bool silent = false;
		for (size_t i = 0; i < count; i++)
			silent |= !watched[i].over && fds[i].fd < 0;
		if (poll(fds, count, silent ? EOF_TICK_MS : TICK_MS) < 0)
			for (size_t i = 0; i < count; i++)
				fds[i].revents = 0;
		for (size_t i = 0; i < count; i++) {
			if (watched[i].over)
				continue;
			look_at(&watched[i], &fds[i]);
			left -= watched[i].over;
		}
	}
	for (size_t i = 0; i < count; i++)
		close(runs[i]->pipe);
}

/* Forks. In the child, *@ret_child is true; in the parent, supervise() must follow. */
static struct error *start(struct run *run, bool *ret_child)
{
	int pipefd[2];
	pid_t parent = getpid();

	*ret_child = false;
	run->end = RUN_NOT_STARTED;
	run->messages[0] = '\0';
	fflush(NULL);
	if (pipe2(pipefd, O_CLOEXEC))
		return error_errno("pipe");
	run->pid = fork();
	if (!run->pid) {
		child_setup(run, parent, pipefd[1]);
		*ret_child = true;
		return NULL;
	}
	close(pipefd[1]);
	run->pipe = pipefd[0];
	if (run->pid < 0) {
		struct error *err = error_errno("fork");
		close(pipefd[0]);
		return err;
	}
	return NULL;
}

/* The child's half of what follows. */

static void __attribute__((noreturn)) become(const char *file, const char *const argv[])
{
	execv(file, (char *const *)argv);
	fprintf(stderr, "%s: %s\n", file, strerror(errno));
	_exit(127);
}

static void __attribute__((noreturn)) perform(struct error *(*function)(void *arg), void *arg)
{
	struct error *err = function(arg);

	if (err)
		fprintf(stderr, "%s\n", err->message);
	fflush(stdout);
	_exit(!!err);
}

static struct error *outcome_of_function(struct run *run)
{
	if (run->end == RUN_EXITED && run->status == 1 && *last_line(run->messages))
		return error_create(ERROR_OTHER, "%s", last_line(run->messages));
	return outcome(run);
}

struct error *run_program(struct run *run, const char *const argv[])
{
	_cleanup_free_ char *file = NULL;
	bool child;
	struct error *err = run_find(argv[0], &file);

	if (!err)
		err = start(run, &child);
	if (err)
		return err;
	if (child)
		become(file, argv);
	supervise(&run, 1);
	return error_prefix(outcome(run), "%s", argv[0]);
}

struct error *run_function(struct run *run, struct error *(*function)(void *arg), void *arg)
{
	bool child;
	struct error *err = start(run, &child);

	if (err)
		return err;
	if (child)
		perform(function, arg);
	supervise(&run, 1);
	return outcome_of_function(run);
}

/* Starts one whose output, unless it is the last, is *@ret_next: the next one's input. */
static struct error *start_stage(struct run_stage *stage, bool last, int *ret_next)
{
	_cleanup_free_ char *file = NULL;
	int pipefd[2] = { -1, -1 };
	bool child;
	struct error *err = stage->argv ? run_find(stage->argv[0], &file) : NULL;

	if (!err && !last && pipe2(pipefd, O_CLOEXEC))
		err = error_errno("pipe");
	if (err)
		return err;
	if (!last) {
		/* Large ones mean fewer changes from one to the other. It is as well if that is not granted. */
		fcntl(pipefd[1], F_SETPIPE_SZ, STAGE_PIPE_SIZE);
		stage->run.output = pipefd[1];
	}
	err = start(&stage->run, &child);
	if (!err && child) {
		/* Else it would not hear that the next one has ended. */
		if (!last)
			close(pipefd[0]);
		if (stage->argv)
			become(file, stage->argv);
		perform(stage->function, stage->arg);
	}
	if (!last)
		close(pipefd[1]);
	*ret_next = pipefd[0];
	return err;
}

static struct error *outcome_of_stage(struct run_stage *stage)
{
	struct run *run = &stage->run;

	return stage->argv ? error_prefix(outcome(run), "%s", stage->argv[0])
			   : outcome_of_function(run);
}

/* Whether it ended because the next one did. */
static bool is_victim(const struct run_stage *stage)
{
	return stage->run.end == RUN_SIGNALED && stage->run.status == SIGPIPE;
}

/* Of several errors the one that the others came from: who has no reader any more is its victim, and so is who comes later. */
static struct error *first_cause(struct run_stage *stages, size_t count)
{
	struct error *ret = NULL, *victims = NULL;

	for (size_t i = 0; i < count && !ret; i++) {
		struct error *err = outcome_of_stage(&stages[i]);
		if (!err)
			continue;
		if (!is_victim(&stages[i]))
			ret = err;
		else if (!victims)
			victims = err;
		else
			error_destroy(err);
	}
	if (!ret)
		return victims;
	error_destroy(victims);
	return ret;
}

struct error *run_pipeline(struct run_stage *stages, size_t count)
{
	struct run *runs[RUN_MOST] = { NULL };
	size_t started = 0;
	struct error *err = NULL;

	for (int next = -1; !err && started < count;) {
		struct run_stage *stage = &stages[started];
		int input = next;
		if (started)
			stage->run.input = input;
		err = start_stage(stage, started + 1 == count, &next);
		if (input >= 0)
			close(input);
		if (err && next >= 0)
			close(next);
		if (!err)
			runs[started++] = &stage->run;
	}
	supervise(runs, started);
	return err ? err : first_cause(stages, count);
}
