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

/* "makedumpfile: version 1.7.2 (...)", then lines as "lzo<TAB>enabled". */
struct error *makedumpfile_compression(const char *program, char ret[static 16])
{
	struct run run = RUN_INIT;

	run.limit_s = 10;
	struct error *err = run_program(&run, (const char *[]){ program, "-v", NULL });
	if (err)
		return err;
	strcpy(ret, "zlib");
	for (size_t i = 0; i < NR_COMPRESSIONS; i++) {
		char line[32];
		snprintf(line, sizeof(line), "\n%s\tenabled", compressions[i].name);
		if (strstr(run.messages, line)) {
			strcpy(ret, compressions[i].name);
			break;
		}
	}
	return NULL;
}

struct error *makedumpfile_version(const char *program, char ret[static 32])
{
	struct run run = RUN_INIT;

	run.limit_s = 10;
	struct error *err = run_program(&run, (const char *[]){ program, "-v", NULL });
	if (err)
		return err;
	const char *version = strstr(run.messages, "version ");
	if (!version || sscanf(version, "version %31s", ret) != 1)
		return error_create(ERROR_OTHER, "%s -v: tells no version", program);
	return NULL;
}

static const char *flag_of(const char *compression)
{
	for (size_t i = 0; i < NR_COMPRESSIONS; i++)
		if (!strcmp(compression, compressions[i].name))
			return compressions[i].flag;
	return "-c";
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
	/* 22: common messages, errors, and the counts of pages; no progress bar, which fills a serial log. */
	struct error *err = run_program(
		&run, (const char *[]){ "makedumpfile", flag_of(compression), "-d", number,
					"--message-level", "22", "/proc/vmcore", name, NULL });
	if (err && run.end == RUN_SIGNALED && run.status == SIGXFSZ) {
		error_destroy(err);
		err = error_create(ERROR_OTHER, "makedumpfile: the dump does not fit into %lld MB",
				   (long long)room / 1000000);
	}
	return err;
}
