// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "dump/dump.h"
#include "dump/vmcoreinfo.h"
#include "kdump/capture.h"
#include "kdump/kept_symbols.h"
#include "kdump/makedumpfile.h"
#include "report/report.h"
#include "state/dmesg.h"
#include "state/kernel.h"
#include "state/record.h"

#define VMCORE "/proc/vmcore"
#define RECORD "record.bin"

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

/* Without the analyzer's kernel_open(), so that an incident has its time even if that fails. */
static void find_crash_time(struct findings *found)
{
	struct dump *dump;
	struct error *err = dump_open(VMCORE, &dump);
	uint64_t crash_s;

	if (err) {
		error_destroy(err);
		return;
	}
	struct vmcoreinfo info = { 0 };
	info.text = dump_vmcoreinfo(dump, &info.size);
	if (info.text && vmcoreinfo_number(&info, "CRASHTIME", &crash_s))
		found->crash_s = crash_s;
	dump_close(dump);
}

/* A time of the record as seconds since 1970. */
static void note_header(struct findings *found, const struct record_header *header)
{
	found->has_record = true;
	found->fired_by = header->fired_by;
	if (header->fired_by == RECORD_FIRED_NONE)
		return;
	found->onset_s = record_realtime_ns(header, header->fired_onset_ns) / 1e9;
	found->trigger_s = record_realtime_ns(header, header->fired_ns) / 1e9;
	found->fired_cpu = header->fired_cpu;
	snprintf(found->fired_reason, sizeof(found->fired_reason), "%s", header->fired_reason);
}

/*
 * The incident that the controller began, unless it has a vmcore already: then this
 * is another crash. The controller may have had no time to make it, or another store.
 */
static struct error *open_incident(const struct capture *capture,
				   const struct record_header *header, struct incident *ret)
{
	const struct findings *found = capture->found;
	struct error *err;

	if (header->incident[0]) {
		err = incident_open(capture->store, header->incident, ret);
		if (!err && !incident_has(ret, "vmcore"))
			return NULL;
		if (!err)
			incident_close(ret);
		error_destroy(err);
		err = incident_make(capture->store, header->incident, ret);
		if (!err)
			return NULL;
		error_destroy(err);
	}
	double when = found->onset_s ? found->onset_s : found->crash_s;
	return incident_create(capture->store, when ? when : (double)time(NULL), header->boot_id,
			       ret);
}

/*
 * The vmcore's record takes the place of the controller's, which is older. That one is kept beside it: where they
 * differ, one of the two ways to the store is broken.
 */
static struct error *write_record(const struct incident *incident, const struct record *record)
{
	static const char spooled[] = "record.spooled.bin";
	struct error *err = NULL;
	bool kept = incident_has(incident, RECORD);

	if (kept)
		err = incident_rename(incident, RECORD, spooled);
	if (err)
		return err;
	err = incident_write(incident, RECORD, record->data, record->size);
	/* Then the controller's is still the best that there is. */
	if (err && kept)
		error_destroy(incident_rename(incident, spooled, RECORD));
	return err;
}

static struct error *open_vmcore(const char *path, struct kernel **ret)
{
	struct kernel_source source = { .vmcore = path };

	if (!access(KEPT_SYMBOLS_PATH, R_OK))
		source.files.kept = KEPT_SYMBOLS_PATH;
	return kernel_open(&source, ret);
}

struct error *step_record(void *arg)
{
	struct capture *capture = arg;
	struct findings *found = capture->found;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	struct record record;

	find_crash_time(found);
	struct error *err = open_vmcore(VMCORE, &kernel);
	if (!err)
		err = record_from_kernel(kernel, &record);
	if (err) {
		if (kernel && err->class == ERROR_NOT_FOUND)
			found->no_record = true;
		return err;
	}
	note_header(found, record.header);
	struct incident incident;
	err = open_incident(capture, record.header, &incident);
	if (!err) {
		memcpy(found->incident, incident.id, sizeof(found->incident));
		err = write_record(&incident, &record);
		incident_close(&incident);
	}
	record_deinit(&record);
	return err;
}

struct error *step_dmesg(void *arg)
{
	struct capture *capture = arg;
	FILE *file;
	struct error *err = incident_open_file(&capture->incident, "dmesg.txt", &file);

	if (err)
		return err;
	err = dmesg_print(VMCORE, file);
	if (err) {
		fclose(file);
		return err;
	}
	return incident_finish_file(&capture->incident, "dmesg.txt", file);
}

struct error *step_symbols(void *arg)
{
	const struct capture *capture = arg;
	_cleanup_(kept_symbols_deinit) struct kept_symbols symbols;
	struct error *err = kept_symbols_read(KEPT_SYMBOLS_PATH, &symbols);

	return err ? err
		   : incident_write(&capture->incident, KEPT_SYMBOLS_NAME, symbols.text,
				    symbols.size);
}

/* The record out of @kernel; else the one that was spooled; else none. */
static bool find_record(const struct capture *capture, struct kernel *kernel, struct record *ret)
{
	struct error *err = record_from_kernel(kernel, ret);

	if (err && capture->incident.dirfd >= 0) {
		char path[64];
		error_destroy(err);
		snprintf(path, sizeof(path), "/proc/self/fd/%d/" RECORD, capture->incident.dirfd);
		err = record_from_file(path, ret);
	}
	bool has = !err;
	error_destroy(err);
	return has;
}

enum form { FORM_TEXT, FORM_JSON };

static struct error *write_report(const struct capture *capture, const struct report *report,
				  const char *name, enum form form)
{
	FILE *file;
	struct error *err = incident_open_file(&capture->incident, name, &file);

	if (err)
		return err;
	err = form == FORM_JSON ? report_print_json(report, file)
				: report_print_text(report, false, false, file);
	if (err) {
		fclose(file);
		return err;
	}
	return incident_finish_file(&capture->incident, name, file);
}

struct error *step_report(void *arg)
{
	struct capture *capture = arg;
	struct findings *found = capture->found;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	_cleanup_(destroy_report) struct report *report = NULL;
	struct record record;
	char vmcore[PATH_MAX + INCIDENT_ID_SIZE + 16];
	struct error *err = open_vmcore(VMCORE, &kernel);

	if (err)
		return err;
	bool has_record = find_record(capture, kernel, &record);
	/* Where its reader will find it. */
	snprintf(vmcore, sizeof(vmcore), "%s/%s/vmcore", capture->config.store,
		 capture->incident.id);
	err = report_create(kernel, vmcore, has_record ? &record : NULL, &report);
	if (!err) {
		found->tasks = report_tasks(report, &found->tasks_with_stack);
		found->has_report = true;
		err = write_report(capture, report, "report.txt", FORM_TEXT);
	}
	if (!err)
		err = write_report(capture, report, "report.json", FORM_JSON);
	/* The rest ends with this process. */
	return err;
}

struct error *step_report_to_console(void *arg)
{
	struct capture *capture = arg;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	_cleanup_(destroy_report) struct report *report = NULL;
	struct record record;
	struct error *err = open_vmcore(VMCORE, &kernel);

	if (err)
		return err;
	bool has_record = find_record(capture, kernel, &record);
	err = report_create(kernel, VMCORE, has_record ? &record : NULL, &report);
	if (err)
		return err;
	printf("----- lockdump report begins -----\n");
	err = report_print_text(report, false, false, stdout);
	printf("----- lockdump report ends -----\n");
	return err;
}

struct error *step_vmcore(void *arg)
{
	struct capture *capture = arg;
	struct error *err =
		makedumpfile_save(capture->config.dump_level, capture->config.compression,
				  capture->incident.dirfd, "vmcore.incomplete", capture->room);

	return err ? err : incident_rename(&capture->incident, "vmcore.incomplete", "vmcore");
}

/* The record that the vmcore has must be the one that was read from /proc/vmcore. */
static struct error *prove_record(const struct capture *capture, const struct record *record)
{
	_cleanup_(record_deinit) struct record saved = { 0 };
	char path[64];
	struct error *err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" RECORD, capture->incident.dirfd);
	err = record_from_file(path, &saved);
	if (!err && (saved.size != record->size || memcmp(saved.data, record->data, saved.size)))
		err = error_create(ERROR_CORRUPT, "the vmcore's record is not that of " VMCORE);
	return err;
}

struct error *step_proof(void *arg)
{
	struct capture *capture = arg;
	const struct findings *found = capture->found;
	_cleanup_(close_kernel) struct kernel *kernel = NULL;
	_cleanup_(record_deinit) struct record record = { 0 };
	_cleanup_(destroy_report) struct report *report = NULL;
	char path[64];
	size_t tasks, with_stack;

	if (!found->has_report)
		return error_create(ERROR_OTHER, "there is no report to compare with");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/vmcore", capture->incident.dirfd);
	struct error *err = open_vmcore(path, &kernel);
	if (!err && found->has_record) {
		err = record_from_kernel(kernel, &record);
		if (!err)
			err = prove_record(capture, &record);
	}
	if (!err)
		err = report_create(kernel, path, found->has_record ? &record : NULL, &report);
	if (err)
		return err;
	tasks = report_tasks(report, &with_stack);
	if (tasks != found->tasks || with_stack != found->tasks_with_stack)
		return error_create(ERROR_EXCLUDED,
				    "the vmcore has %zu tasks, %zu with a stack; " VMCORE
				    " had %zu, %zu",
				    tasks, with_stack, found->tasks, found->tasks_with_stack);
	return NULL;
}

struct error *step_manifest(void *arg)
{
	struct capture *capture = arg;
	struct manifest_files files;
	_cleanup_free_ char *json = NULL;
	struct error *err = manifest_list(&capture->incident, &files);

	if (!err)
		err = manifest_print(&capture->manifest, &files, &json);
	return err ? err : incident_write(&capture->incident, "manifest.json", json, strlen(json));
}
