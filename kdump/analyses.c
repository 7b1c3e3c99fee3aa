// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/analyses.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sandbox.h"
#include "dump/dump.h"
#include "dump/vmcoreinfo.h"
#include "kdump/environment.h"
#include "kdump/kept_symbols.h"
#include "kdump/strings.h"
#include "report/report.h"
#include "state/dmesg.h"
#include "state/kernel.h"
#include "state/machine.h"
#include "state/record.h"

#define MAX_TIME_S 1e11 /* the year 5138 */

/* What the functions in the sandbox get; nothing else of it can be seen outside. */
struct job {
	const struct analysis *analysis;
	struct answers *answers;
};

static void close_kernel(struct kernel **kernel)
{
	if (*kernel)
		kernel_close(*kernel);
}

static void destroy_report(struct report **report)
{
	if (*report)
		report_destroy(*report);
}

static const char *symbols_of(const struct analysis *analysis)
{
	return analysis->symbols ? analysis->symbols : KEPT_SYMBOLS_PATH;
}

/* The files, and the folders of analysis->debug_dir, which it splits at their colons. */
static struct error *list_readable(const struct analysis *analysis, struct strings *ret)
{
	const char *dir = analysis->debug_dir;
	struct error *err = strings_add(ret, "%s", analysis->vmcore);

	if (!err && analysis->record)
		err = strings_add(ret, "%s", analysis->record);
	if (!err)
		err = strings_add(ret, "%s", symbols_of(analysis));
	while (!err && dir && *dir) {
		size_t length = strcspn(dir, ":");
		if (length)
			err = strings_add(ret, "%.*s", (int)length, dir);
		dir += length + (dir[length] == ':');
	}
	return err;
}

/* It becomes part of a folder's name. */
static bool is_uuid(const char *s, size_t size)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strnlen(s, size) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (!strchr(form[i] == 'x' ? "0123456789abcdef" : "-", s[i]))
			return false;
	return true;
}

static struct error *run(struct analysis *analysis, struct error *(*function)(void *arg))
{
	_cleanup_(strings_deinit) struct strings readable = { 0 };
	struct error *err = list_readable(analysis, &readable);
	if (err)
		return err;
	const struct sandbox sandbox = {
		.readable = (const char *const *)readable.items,
		.nr_readable = readable.count,
		.most_s = analysis->most_s,
		.most_bytes = memory_available_kb() * 1024 / 4 * 3,
	};
	struct answers *answers = mmap(NULL, sizeof(*answers), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (answers == MAP_FAILED)
		return error_errno("shared memory");
	err = sandbox_run(&sandbox, function,
			  &(struct job){ .analysis = analysis, .answers = answers });
	analysis->answers = *answers;
	munmap(answers, sizeof(*answers));
	if (!(analysis->answers.crash_s >= 0 && analysis->answers.crash_s < MAX_TIME_S))
		analysis->answers.crash_s = 0;
	if (!is_uuid(analysis->answers.boot_id, sizeof(analysis->answers.boot_id)))
		analysis->answers.boot_id[0] = '\0';
	return err;
}

static struct error *flush(FILE *out)
{
	return fflush(out) || ferror(out) ? error_errno("cannot write") : NULL;
}

static struct error *open_kernel(const struct analysis *analysis, struct kernel **ret)
{
	struct kernel_source source = {
		.vmcore = analysis->vmcore,
		.files.debug_dir = analysis->debug_dir,
		.debuginfod = analysis->debuginfod,
		.log = analysis->log,
	};

	if (!access(symbols_of(analysis), R_OK))
		source.files.kept = symbols_of(analysis);
	return kernel_open(&source, ret);
}

/* Without the analyzer's kernel_open(), so that an incident has its time even if that fails. */
static void find_crash_time(const struct job *job)
{
	struct dump *dump;
	struct error *err = dump_open(job->analysis->vmcore, &dump);
	uint64_t crash_s;

	if (err) {
		error_destroy(err);
		return;
	}
	struct vmcoreinfo info = { 0 };
	info.text = dump_vmcoreinfo(dump, &info.size);
	if (info.text && vmcoreinfo_number(&info, "CRASHTIME", &crash_s))
		job->answers->crash_s = crash_s;
	dump_close(dump);
}

static struct error *write_record(void *arg)
{
	const struct job *job = arg;
	FILE *out = job->analysis->out;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	char boot_id[MACHINE_BOOT_ID_SIZE];
	_cleanup_(record_deinit) struct record record = { 0 };

	find_crash_time(job);
	struct error *err = open_kernel(job->analysis, &kernel);
	if (err)
		return err;
	machine_boot_id(kernel, boot_id);
	strcpy(job->answers->boot_id, boot_id);
	err = record_from_kernel(kernel, &record);
	job->answers->no_record = err && err->class == ERROR_NOT_FOUND;
	if (!err)
		fwrite(record.data, 1, record.size, out);
	return err ? err : flush(out);
}

static struct error *write_dmesg(void *arg)
{
	const struct job *job = arg;
	struct error *err = dmesg_print(job->analysis->vmcore, job->analysis->out);

	return err ? err : flush(job->analysis->out);
}

/* The record out of @kernel; else the one that was spooled; else none. */
static bool find_record(const struct analysis *analysis, struct kernel *kernel, struct record *ret)
{
	struct error *err = record_from_kernel(kernel, ret);

	if (err && analysis->record) {
		error_destroy(err);
		err = record_from_file(analysis->record, ret);
	}
	bool has = !err;
	error_destroy(err);
	return has;
}

static struct error *make_report(const struct job *job, struct kernel *kernel,
				 const struct record *record, struct report **ret)
{
	struct answers *answers = job->answers;
	struct error *err = report_create(kernel, job->analysis->name, record, ret);

	if (err)
		return err;
	report_content(*ret, &answers->content);
	answers->has_report = true;
	return NULL;
}

static struct error *print_report(const struct job *job, const struct report *report)
{
	FILE *out = job->analysis->out, *json = job->analysis->json;
	struct error *err = report_print_text(report, false, false, out);

	if (!err)
		err = flush(out);
	job->answers->text_done = !err;
	if (!err && json)
		err = report_print_json(report, json);
	return err || !json ? err : flush(json);
}

static struct error *write_report(void *arg)
{
	const struct job *job = arg;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	_cleanup_(record_deinit) struct record record = { 0 };
	_cleanup_(destroy_report) struct report *report = NULL;
	struct error *err = open_kernel(job->analysis, &kernel);

	if (err)
		return err;
	job->answers->has_vmlinux = debuginfo_vmlinux(kernel->debuginfo);
	bool has_record = find_record(job->analysis, kernel, &record);
	err = make_report(job, kernel, has_record ? &record : NULL, &report);
	return err ? err : print_report(job, report);
}

static struct error *compare_records(const char *path, const struct record *record)
{
	_cleanup_(record_deinit) struct record saved = { 0 };
	struct error *err = record_from_file(path, &saved);

	if (!err && (saved.size != record->size || memcmp(saved.data, record->data, saved.size)))
		err = error_create(ERROR_CORRUPT, "the vmcore's record is not that of " VMCORE);
	return err;
}

static struct error *prove(void *arg)
{
	const struct job *job = arg;
	const char *saved = job->analysis->record;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	_cleanup_(record_deinit) struct record record = { 0 };
	_cleanup_(destroy_report) struct report *report = NULL;
	struct error *err = open_kernel(job->analysis, &kernel);

	if (!err && saved)
		err = record_from_kernel(kernel, &record);
	if (!err && saved)
		err = compare_records(saved, &record);
	return err ? err : make_report(job, kernel, saved ? &record : NULL, &report);
}

struct error *analysis_record(struct analysis *analysis)
{
	return run(analysis, write_record);
}

struct error *analysis_dmesg(struct analysis *analysis)
{
	return run(analysis, write_dmesg);
}

struct error *analysis_report(struct analysis *analysis)
{
	return run(analysis, write_report);
}

struct error *analysis_proof(struct analysis *analysis)
{
	return run(analysis, prove);
}
