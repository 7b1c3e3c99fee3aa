// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/makedumpfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kdump/run.h"

/* Fastest first. zlib is always there. */
static const struct {
	const char *name, *flag;
} compressions[] = {
	{ "lzo", "-l" },
	{ "snappy", "-p" },
	{ "zstd", "-z" },
	{ "zlib", "-c" },
};

#define NR_COMPRESSIONS (sizeof(compressions) / sizeof(compressions[0]))

bool makedumpfile_knows(const char *compression)
{
	for (size_t i = 0; i < NR_COMPRESSIONS; i++)
		if (!strcmp(compressions[i].name, compression))
			return true;
	return false;
}

/* "makedumpfile: version 1.7.2 (...)", then lines as "lzo<TAB>enabled". */
static struct error *ask(const char *program, struct run *ret)
{
	*ret = (struct run)RUN_INIT;
	ret->limit_s = 10;
	return run_program(ret, (const char *[]){ program, "-v", NULL });
}

static bool has(const struct run *run, const char *compression)
{
	char line[32];

	snprintf(line, sizeof(line), "\n%s\tenabled", compression);
	return !strcmp(compression, "zlib") || strstr(run->messages, line);
}

struct error *makedumpfile_compression(const char *program, char ret[static 16])
{
	struct run run;
	struct error *err = ask(program, &run);

	for (size_t i = 0; !err && i < NR_COMPRESSIONS; i++)
		if (has(&run, compressions[i].name)) {
			strcpy(ret, compressions[i].name);
			break;
		}
	return err;
}

struct error *makedumpfile_can(const char *program, const char *compression)
{
	struct run run;
	struct error *err = ask(program, &run);

	if (!err && !has(&run, compression))
		err = error_create(
			ERROR_OTHER,
			"%s: it was built without %s; choose another compression, or auto", program,
			compression);
	return err;
}

struct error *makedumpfile_version(const char *program, char ret[static 32])
{
	struct run run;
	struct error *err = ask(program, &run);

	if (err)
		return err;
	const char *version = strstr(run.messages, "version ");
	if (!version || sscanf(version, "version %31s", ret) != 1)
		return error_create(ERROR_OTHER, "%s -v: tells no version", program);
	return NULL;
}

const char *makedumpfile_flag(const char *compression)
{
	for (size_t i = 0; i < NR_COMPRESSIONS; i++)
		if (!strcmp(compression, compressions[i].name))
			return compressions[i].flag;
	return "-c";
}

/* Its last line is "makedumpfile Failed."; what the matter was with the file stands before it. */
static struct error *name_cause(const struct run *run, struct error *err, off_t room)
{
	const char *cause = strstr(run->messages, "Can't write ");
	struct error *better = NULL;

	if (run->end == RUN_SIGNALED && run->status == SIGXFSZ)
		better = error_create(ERROR_OTHER,
				      "makedumpfile: the dump does not fit into %lld MB",
				      (long long)room / 1000000);
	else if (run->end == RUN_EXITED && cause)
		better = error_create(ERROR_OTHER, "makedumpfile: exit status %d: %.*s",
				      run->status, (int)strcspn(cause, "\r\n"), cause);
	if (!better)
		return err;
	error_destroy(err);
	return better;
}

struct error *makedumpfile_save(unsigned int level, const char *compression, int dirfd,
				const char *name, off_t room)
{
	struct rlimit limit = { .rlim_cur = room, .rlim_max = room };
	struct run run = RUN_INIT;
	char number[16];

	/* A limit that the kernel enforces: nothing else would keep the disk from filling up in time. */
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return error_errno("file size limit");
	/* It refuses a file that is there; one could be of an attempt that died. */
	unlinkat(dirfd, name, 0);
	snprintf(number, sizeof(number), "%u", level);
	run.dirfd = dirfd;
	run.echo = true;
	struct error *err = run_program(
		&run, (const char *[]){ "makedumpfile", makedumpfile_flag(compression), "-d",
					number, "--message-level", MAKEDUMPFILE_MESSAGES,
					"/proc/vmcore", name, NULL });
	return err ? name_cause(&run, err, room) : NULL;
}
