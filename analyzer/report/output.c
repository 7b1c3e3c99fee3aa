// SPDX-License-Identifier: GPL-2.0-only
#include "report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is there and no plain file, such as /dev/full or a pipe, cannot be put in its place later. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

struct error *output_check(const char *path, const char *const *inputs, size_t count)
{
	struct stat out, in;

	if (!path || stat(path, &out) || !S_ISREG(out.st_mode))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (inputs[i] && !stat(inputs[i], &in) && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			return error_create(ERROR_OTHER,
					    "%s: is %s, which is to be read; name another file",
					    path, inputs[i]);
	return NULL;
}

static struct error *open_temp(struct output *output)
{
	output->target = realpath(output->path, NULL);
	if (!output->target)
		output->target = strdup(output->path);
	if (!output->target || asprintf(&output->temp, "%s.XXXXXX", output->target) < 0) {
		output->temp = NULL;
		return &error_no_memory;
	}
	interrupts_hold(&output->interrupts);
	/* 0600: a report holds a machine's innermost. */
	int fd = mkostemp(output->temp, O_CLOEXEC);
	output->file = fd < 0 ? NULL : fdopen(fd, "w");
	return output->file ? NULL : error_errno("%s", output->path);
}

static void deinit(struct output *output)
{
	free(output->target);
	free(output->temp);
	interrupts_release(&output->interrupts);
}

struct error *output_open(const char *path, struct output *ret)
{
	*ret = (struct output){ .file = stdout, .path = path, .interrupts.fd = -1 };
	if (!path)
		return NULL;
	struct error *err = NULL;
	if (is_special(path)) {
		ret->file = fopen(path, "we");
		err = ret->file ? NULL : error_errno("%s", path);
	} else {
		err = open_temp(ret);
	}
	if (err)
		deinit(ret);
	return err;
}

/* A pipe or a terminal has no disk to reach. */
static bool synced(FILE *file)
{
	return !fsync(fileno(file)) || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

struct error *output_close(struct output *output, struct error *err)
{
	const char *name = output->path ? output->path : "stdout";

	if (!err && fflush(output->file))
		err = error_errno("%s", name);
	if (!output->path)
		return err;
	if (!err && !synced(output->file))
		err = error_errno("%s", name);
	if (fclose(output->file) && !err)
		err = error_errno("%s", name);
	if (output->target && !err && rename(output->temp, output->target))
		err = error_errno("%s", name);
	if (output->target && err)
		unlink(output->temp);
	deinit(output);
	return err;
}
