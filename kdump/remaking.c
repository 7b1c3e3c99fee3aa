// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/remaking.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/analyses.h"
#include "kdump/harvest_mark.h"
#include "kdump/mending.h"
#include "kdump/report_head.h"
#include "kdump/run.h"

#define LIMIT_S	    300
#define CPU_LIMIT_S 60

/* What the child gets, in which all of it happens. */
struct job {
	const struct remaking *remaking;
	const struct incident *incident;
	const char *vmcore; /* its name */
	bool has_report;
	bool *made; /* shared with the parent */
	double start_s;
};

static bool has_regular(const struct incident *incident, const char *name)
{
	struct stat st;

	return !fstatat(incident->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode);
}

static FILE *open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* As NAME.incomplete. */
static struct error *stage(const struct incident *incident, const char *name, FILE *file)
{
	struct stat st;

	if (fstat(fileno(file), &st))
		return error_errno("%s", name);
	void *data =
		mmap(NULL, st.st_size ? st.st_size : 1, PROT_READ, MAP_PRIVATE, fileno(file), 0);
	if (data == MAP_FAILED)
		return error_errno("%s", name);
	struct error *err = incident_stage(incident, name, data, st.st_size);
	munmap(data, st.st_size ? st.st_size : 1);
	return err;
}

void remaking_clean_up(const struct incident *incident)
{
	incident_remove_staged(incident, REPORT_TEXT);
	incident_remove_staged(incident, REPORT_JSON);
}

/* Meanwhile the mark says what is going on: the next harvest can end it, if this one cannot. */
static struct error *replace(const struct job *job, FILE *text, FILE *json, const char *why)
{
	static const char *const names[] = { REPORT_TEXT, REPORT_JSON };
	const struct incident *incident = job->incident;
	struct harvest_mark mark;

	harvest_mark_read(incident, &mark);
	mark.replacing = true;
	struct error *err = harvest_mark_write(incident, &mark);
	if (!err)
		err = stage(incident, REPORT_TEXT, text);
	if (!err)
		err = stage(incident, REPORT_JSON, json);
	if (!err)
		err = incident_publish(incident, names, 2);
	if (!err)
		err = mending_take_report(incident, why, uptime_s() - job->start_s);
	if (err)
		remaking_clean_up(incident);
	mark.replacing = false;
	return err ? err : harvest_mark_write(incident, &mark);
}

static struct error *analyze(const struct job *job, struct analysis *analysis)
{
	struct error *err = analysis_report(analysis);

	if (err || (job->has_report && !analysis->answers.has_vmlinux))
		return err;
	err = replace(job, analysis->out, analysis->json,
		      analysis->answers.has_vmlinux
			      ? "made after the reboot, with debug information"
			      : "made after the reboot");
	*job->made = !err;
	return err;
}

static struct error *remake(void *arg)
{
	const struct job *job = arg;
	const struct incident *incident = job->incident;
	char vmcore[INCIDENT_PATH_SIZE], record[INCIDENT_PATH_SIZE], symbols[INCIDENT_PATH_SIZE];
	char name[PATH_MAX + INCIDENT_ID_SIZE + 32];
	_cleanup_fclose_ FILE *text = open_memory(REPORT_TEXT);
	_cleanup_fclose_ FILE *json = open_memory(REPORT_JSON);
	struct analysis analysis = {
		.vmcore = vmcore,
		.name = name,
		.record = has_regular(incident, "record.bin") ? record : NULL,
		.symbols = symbols,
		.debug_dir = job->remaking->debug_dir,
		.debuginfod = job->remaking->debuginfod,
		.most_s = CPU_LIMIT_S,
		.out = text,
		.json = json,
	};

	if (!text || !json)
		return error_errno("report");
	incident_path(incident, job->vmcore, vmcore);
	incident_path(incident, "record.bin", record);
	incident_path(incident, has_regular(incident, "kallsyms") ? "kallsyms" : ".none", symbols);
	snprintf(name, sizeof(name), "%s/%s/%s", job->remaking->store, incident->id, job->vmcore);
	return analyze(job, &analysis);
}

/* False if the report that there is cannot become better. */
static bool is_worth_it(const struct remaking *remaking, const struct incident *incident,
			bool *has_report)
{
	struct report_head head;

	*has_report = report_head_read(incident->dirfd, &head) && *head.title;
	if (!*has_report)
		return true;
	bool has_folder = remaking->debug_dir &&
			  (strchr(remaking->debug_dir, ':') || !access(remaking->debug_dir, F_OK));
	return !head.has_vmlinux && (has_folder || remaking->debuginfod);
}

struct error *remaking_run(const struct remaking *remaking, const struct incident *incident,
			   bool *made)
{
	struct job job = {
		.remaking = remaking,
		.incident = incident,
		.start_s = uptime_s(),
	};
	struct run run = RUN_INIT;

	*made = false;
	/* An encrypted one cannot be read here. */
	job.vmcore = has_regular(incident, INCIDENT_VMCORE) ? INCIDENT_VMCORE
							    : INCIDENT_VMCORE ".incomplete";
	if (!has_regular(incident, job.vmcore) || !is_worth_it(remaking, incident, &job.has_report))
		return NULL;
	job.made =
		mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.made == MAP_FAILED)
		return error_errno("shared memory");
	run.limit_s = LIMIT_S;
	struct error *err = run_function(&run, remake, &job);
	*made = *job.made;
	munmap(job.made, sizeof(bool));
	return error_prefix(err, "incident %s: the report", incident->id);
}
