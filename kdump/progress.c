// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "kdump/run.h"

void progress(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "lockdump capture: %.1f s  %s\n", uptime_s(), text);
}

bool progress_run(struct run *run, const char *name, struct error *(*function)(void *arg),
		  void *arg)
{
	run->echo = true;
	struct error *err = run_function(run, function, arg);
	if (err)
		progress("%s: %s", name, err->message);
	error_destroy(err);
	return !err;
}
