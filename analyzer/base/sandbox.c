// SPDX-License-Identifier: GPL-2.0-only
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* The memory checkers do what no analysis does: they open files, make threads, and trace themselves. */
#ifdef __has_feature
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define MAX_MESSAGE 8192

/* The child's exit status when a limit ended it: no error's message can be sent then. */
#define TOO_LONG  124
#define TOO_LARGE 125

/* All that Landlock of 5.13 can forbid. */
#define ALL_ACCESS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static void allow_reading(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return; /* who opens it will hear why */
	if (!fstat(rule.parent_fd, &st) && S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* Of all files only those that it was given. A kernel without Landlock is no reason to go without a report. */
static void confine_files(const struct sandbox *sandbox)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = ALL_ACCESS };
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0)
		return;
	for (size_t i = 0; i < sandbox->nr_readable; i++)
		if (sandbox->readable[i])
			allow_reading(ruleset, sandbox->readable[i]);
	syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
}

/* What reading files and memory takes, the C library's own needs, and files that debuginfod.c's process sends. */
static const int allowed[] = {
	SCMP_SYS(read),		 SCMP_SYS(pread64),	    SCMP_SYS(readv),
	SCMP_SYS(preadv),	 SCMP_SYS(write),	    SCMP_SYS(writev),
	SCMP_SYS(lseek),	 SCMP_SYS(close),	    SCMP_SYS(fstat),
	SCMP_SYS(stat),		 SCMP_SYS(lstat),	    SCMP_SYS(newfstatat),
	SCMP_SYS(statx),	 SCMP_SYS(fstatfs),	    SCMP_SYS(access),
	SCMP_SYS(faccessat),	 SCMP_SYS(faccessat2),	    SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),	 SCMP_SYS(getdents64),	    SCMP_SYS(getcwd),
	SCMP_SYS(munmap),	 SCMP_SYS(mremap),	    SCMP_SYS(madvise),
	SCMP_SYS(brk),		 SCMP_SYS(futex),	    SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),    SCMP_SYS(gettimeofday),
	SCMP_SYS(time),		 SCMP_SYS(sysinfo),	    SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getpid),	 SCMP_SYS(gettid),	    SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),	 SCMP_SYS(rt_sigprocmask),  SCMP_SYS(exit),
	SCMP_SYS(exit_group),	 SCMP_SYS(restart_syscall), SCMP_SYS(recvmsg),
};

/* abort() sends itself a signal; terminals are asked what they are. Files are opened to be read; memory is never code. */
static int add_conditions(scmp_filter_ctx filter)
{
	const unsigned int writing = O_ACCMODE | O_CREAT | O_TRUNC;
	int failed = 0;

	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				   SCMP_A0(SCMP_CMP_EQ, getpid()));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				   SCMP_A1(SCMP_CMP_EQ, 0x5401 /* TCGETS */));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				   SCMP_A1(SCMP_CMP_EQ, F_GETFL));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				   SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return failed;
}

/* A kernel without seccomp, as a capture kernel may be one, goes on without. */
static struct error *confine_system_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int failed = filter ? add_conditions(filter) : -ENOMEM;

	for (size_t i = 0; !failed && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!failed) {
		failed = seccomp_load(filter);
		/* libseccomp's words for what the kernel refuses */
		if (failed == -ECANCELED || failed == -ENOSYS || failed == -EINVAL)
			failed = 0;
	}
	seccomp_release(filter);
	return failed ? error_create(ERROR_SYSTEM, "sandbox: %s", strerror(abs(failed))) : NULL;
}

static void too_long(int signal)
{
	(void)signal;
	_exit(TOO_LONG);
}

void sandbox_no_memory(void)
{
	_exit(TOO_LARGE);
}

/*
 * The last line of defence: what is in a dump is bounded where it is read, but
 * not against all that it may make of the bounds together. The stack is small,
 * and files are mapped to be read only: what grows is data.
 */
static struct error *limit(const struct sandbox *sandbox)
{
	const struct rlimit time = { sandbox->most_s, sandbox->most_s + 1 };
	const struct rlimit memory = { sandbox->most_bytes, sandbox->most_bytes };

	signal(SIGXCPU, too_long);
	if ((sandbox->most_s && setrlimit(RLIMIT_CPU, &time)) ||
	    (sandbox->most_bytes && setrlimit(RLIMIT_DATA, &memory)))
		return error_errno("sandbox");
	return NULL;
}

static struct error *enter(const struct sandbox *sandbox)
{
	if (sandbox->off || SANITIZED || RUNNING_ON_VALGRIND)
		return NULL;
	struct error *err = limit(sandbox);
	if (err)
		return err;
	/* It would be read when a time is first printed. */
	tzset();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_errno("sandbox");
	confine_files(sandbox);
	return confine_system_calls();
}

/* What goes over the pipe: class and address, then the message. */
struct header {
	uint64_t class;
	uint64_t address;
};

static void send_error(FILE *pipe, const struct error *err)
{
	const struct header header = { err->class, err->address };

	fwrite(&header, sizeof(header), 1, pipe);
	fputs(err->message, pipe);
	fflush(pipe);
}

/* The child may be in the dump's hands by now. */
static struct error *receive_error(FILE *pipe)
{
	char message[MAX_MESSAGE];
	struct header header;

	if (fread(&header, sizeof(header), 1, pipe) != 1)
		return NULL;
	size_t size = fread(message, 1, sizeof(message) - 1, pipe);
	message[size] = '\0';
	if (header.class > ERROR_CORRUPT)
		header.class = ERROR_OTHER;
	return error_fault(header.class, header.address, "%s", message);
}

static struct error *too_much(size_t most, const char *unit)
{
	return error_create(ERROR_OTHER,
			    "the analysis took more than %zu %s, which few dumps need, and was "
			    "ended; if you trust the dump, add --no-sandbox",
			    most, unit);
}

static struct error *outcome(const struct sandbox *sandbox, int status)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == TOO_LONG)
		return too_much(sandbox->most_s, "s of CPU time");
	if (WIFEXITED(status) && WEXITSTATUS(status) == TOO_LARGE)
		return sandbox->off ? &error_no_memory
				    : too_much(sandbox->most_bytes >> 20, "MB of memory");
	if (WIFEXITED(status))
		return error_create(ERROR_OTHER, "the analysis ended with exit status %d",
				    WEXITSTATUS(status));
	if (WTERMSIG(status) == SIGSYS)
		return error_create(
			ERROR_OTHER,
			"the analysis was stopped when it did what no analysis needs; if "
			"you trust the dump, add --no-sandbox");
	return error_create(ERROR_OTHER, "the analysis was ended by signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static void run_child(const struct sandbox *sandbox, struct error *(*function)(void *arg),
		      void *arg, int fd, pid_t parent)
{
	FILE *pipe = fdopen(fd, "w");

	if (sandbox->interrupts)
		interrupts_release(&(struct interrupts){ sandbox->interrupts->before,
							 sandbox->interrupts->fd });
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!pipe || getppid() != parent)
		_exit(127);
	struct error *err = enter(sandbox);
	if (!err)
		err = function(arg);
	if (err == &error_no_memory && sandbox->most_bytes && !sandbox->off)
		sandbox_no_memory();
	if (err)
		send_error(pipe, err);
	error_destroy(err);
	fclose(pipe);
	exit(0);
}

/* Until the child has something to say, or has ended. */
static void wait_for(const struct sandbox *sandbox, pid_t child, int pipe)
{
	struct pollfd fds[] = {
		{ .fd = pipe, .events = POLLIN },
		{ .fd = sandbox->interrupts ? sandbox->interrupts->fd : -1, .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents)
		kill(child, SIGKILL);
}

struct error *sandbox_run(const struct sandbox *sandbox, struct error *(*function)(void *arg),
			  void *arg)
{
	int fds[2], status;
	pid_t parent = getpid();

	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC))
		return error_errno("pipe");
	pid_t pid = fork();
	if (!pid) {
		close(fds[0]);
		run_child(sandbox, function, arg, fds[1], parent);
	}
	close(fds[1]);
	FILE *pipe = pid > 0 ? fdopen(fds[0], "r") : NULL;
	if (pipe)
		wait_for(sandbox, pid, fds[0]);
	struct error *err = pipe ? receive_error(pipe) : error_errno("fork");
	/* Then the child cannot wait for somebody to read on. */
	if (pipe)
		fclose(pipe);
	else
		close(fds[0]);
	if (pid < 0)
		return err;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Whoever read the output wants no more of it: end as a program without a sandbox does. */
	if (!err && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		raise(SIGPIPE);
	if (err)
		return err;
	err = outcome(sandbox, status);
	return sandbox->name ? error_prefix(err, "%s", sandbox->name) : err;
}
