// SPDX-License-Identifier: GPL-2.0-only
#include "report/output.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct error *output_open(const char *path, struct output *ret)
{
	*ret = (struct output){ .file = stdout, .path = path };
	if (!path)
		return NULL;
	if (asprintf(&ret->temp, "%s.XXXXXX", path) < 0)
		return &error_no_memory;
	/* 0600: a report holds a machine's innermost. */
	int fd = mkstemp(ret->temp);
	ret->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!ret->file) {
		struct error *err = error_errno("%s", path);
		free(ret->temp);
		return err;
	}
	return NULL;
}

struct error *output_close(struct output *output, struct error *err)
{
	if (!output->path) {
		if (fflush(stdout) && !err)
			err = error_errno("stdout");
		return err;
	}
	if (!err && (fflush(output->file) || fsync(fileno(output->file))))
		err = error_errno("%s", output->path);
	if (fclose(output->file) && !err)
		err = error_errno("%s", output->path);
	if (!err && rename(output->temp, output->path))
		err = error_errno("%s", output->path);
	if (err)
		unlink(output->temp);
	free(output->temp);
	return err;
}
