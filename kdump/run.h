/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs and functions, run in a child of their own with a time limit: the
 * only place in kdump/ that forks. A child dies with its parent, so that
 * killing a step takes its makedumpfile along.
 */
#ifndef LOCKDUMP_RUN_H
#define LOCKDUMP_RUN_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum run_end {
	RUN_NOT_STARTED,
	RUN_EXITED,
	RUN_SIGNALED,
	RUN_TIMEOUT, /* the limit had passed, and it was killed */
	RUN_STUCK, /* the limit had passed, and SIGKILL did not end it either; it is left alone */
};

/* What to run how, then how it went. RUN_INIT is all defaults. */
struct run {
	unsigned int limit_s; /* 0: none */
	int dirfd; /* the child's working folder */
	int input; /* its stdin; -1: /dev/null */
	int output; /* its stdout; -1: goes where its stderr goes */
	bool group; /* it and what it starts are a process group of their own; past the limit all of it is killed */
	int oom_score; /* of the child, as /proc/PID/oom_score_adj has it; 0: its parent's */
	bool echo; /* its messages are also passed on to our stderr as they come */
	void (*tick)(void *arg); /* called about five times a second while it runs */
	void *tick_arg;

	pid_t pid;
	int pipe; /* its messages come there; of no use afterwards */
	enum run_end end;
	int status; /* exit status or signal */
	double seconds;
	char messages[4096]; /* the end of what it wrote to stderr */
};

#define RUN_INIT                                              \
	{                                                     \
		.dirfd = AT_FDCWD, .input = -1, .output = -1, \
	}

/* Runs @argv, found in PATH, sbin included. An error unless it exits with 0; it has the last line of its messages. */
struct error *run_program(struct run *run, const char *const argv[]);

/* Runs @function in a child and gives its error. What else it finds goes through shared memory or files. */
struct error *run_function(struct run *run, struct error *(*function)(void *arg), void *arg);

/* One of several that run at once: a program, or a function if @argv is NULL. */
struct run_stage {
	struct run run; /* its limit holds */
	const char *const *argv;
	struct error *(*function)(void *arg);
	void *arg;
};

#define RUN_MOST 4 /* stages */

/*
 * Runs all of them, the stdout of each being the stdin of the next, without a shell, and waits for all. Of those that failed it
 * gives the error of the one that the others' failures came from.
 */
struct error *run_pipeline(struct run_stage *stages, size_t count);

/* Finds @name in PATH, sbin included. ERROR_NOT_FOUND if it is not there. The caller frees @ret. */
struct error *run_find(const char *name, char **ret);

/* The same; an error says which package has it. @ret may be NULL. */
struct error *run_installed(const char *program, char **ret);

/* This process, and what it will start, have that oom_score_adj; if it cannot be, so be it. */
void run_set_oom_score(int score);

/* Seconds since the machine booted. */
double uptime_s(void);

/* Seconds since 1970. */
double realtime_s(void);

#endif
