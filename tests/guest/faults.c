// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lockdump whose analyses in the capture kernel go wrong as those of a hostile dump would, each in another way.
 * The linker (--wrap, in tests/tests.mk) puts what is here in the place of the real functions.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

#include "kdump/config.h"
#include "kdump/steps.h"
#include "report/report.h"
#include "state/dmesg.h"
#include "state/record.h"

struct error *__real_config_read(const char *path, struct config *ret);
struct error *__wrap_config_read(const char *path, struct config *ret);
struct error *__real_step_record(void *arg);
struct error *__wrap_step_record(void *arg);
struct error *__real_record_from_kernel(struct kernel *kernel, struct record *ret);
struct error *__wrap_record_from_kernel(struct kernel *kernel, struct record *ret);
struct error *__wrap_dmesg_print(const char *path, FILE *out);
struct error *__wrap_report_create(struct kernel *kernel, const char *vmcore,
				   const struct record *record, struct report **ret);

static bool in_step_record;

struct error *__wrap_config_read(const char *path, struct config *ret)
{
	struct error *err = __real_config_read(path, ret);

	ret->report_s = 3; /* the test waits for it */
	return err;
}

struct error *__wrap_step_record(void *arg)
{
	in_step_record = true;
	return __real_step_record(arg);
}

/* Reads what is not its own, and crashes. */
struct error *__wrap_record_from_kernel(struct kernel *kernel, struct record *ret)
{
	if (!in_step_record)
		return __real_record_from_kernel(kernel, ret);
	if (open(CONFIG_PATH, O_RDONLY) >= 0)
		return error_create(ERROR_OTHER, "the sandbox lets " CONFIG_PATH " be read");
	raise(SIGSEGV);
	return NULL;
}

/* Writes where it should not. */
struct error *__wrap_dmesg_print(const char *path, FILE *out)
{
	(void)path;
	fputs("half a log", out);
	fflush(out);
	open("planted", O_WRONLY | O_CREAT, 0600);
	return NULL;
}

/* Never ends. */
struct error *__wrap_report_create(struct kernel *kernel, const char *vmcore,
				   const struct record *record, struct report **ret)
{
	(void)kernel, (void)vmcore, (void)record, (void)ret;
	for (volatile int i = 0;; i++)
		;
}
