// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/steps.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/analyses.h"
#include "kdump/capture.h"
#include "kdump/encryption.h"
#include "kdump/environment.h"
#include "kdump/kept_symbols.h"
#include "kdump/makedumpfile.h"
#include "kdump/proof.h"
#include "kdump/triggers.h"
#include "state/record.h"

#define RECORD "record.bin"
#define DMESG  "dmesg.txt"
#define RIG    "rig.json"

/* One part in so many of the memory that is free goes into what is kept of an encrypted vmcore. */
#define KEPT_SHARE 3

#define LOG_TAIL 65536 /* bytes: a crash says much after the line that asks for it */

/* What a dump makes of its reader is to reach the later steps through the answers only. */
static struct error *analyze(struct capture *capture,
			     struct error *(*function)(struct analysis *analysis),
			     struct analysis *analysis)
{
	if (madvise(capture->found, sizeof(*capture->found), MADV_DONTFORK))
		return error_errno("shared memory");
	return function(analysis);
}

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
	found->drill = !strcmp(found->fired_reason, TRIGGERS_DRILL);
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
		if (!err && incident_is_ours(ret) && !incident_has(ret, INCIDENT_VMCORE) &&
		    !incident_has(ret, INCIDENT_VMCORE_ENCRYPTED))
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
	struct error *err = incident_rename(incident, RECORD, spooled);
	bool kept = !err;

	/* There may be none; or what has its name is a link, and no loss. */
	error_destroy(err);
	err = incident_write(incident, RECORD, record->data, record->size);
	/* Then the controller's is still the best that there is. */
	if (err && kept)
		error_destroy(incident_rename(incident, spooled, RECORD));
	return err;
}

/* The record as it comes out of the sandbox: it is checked here once more. */
static struct error *read_record(struct capture *capture, struct record *ret)
{
	struct analysis analysis = { .vmcore = VMCORE, .symbols = capture->symbols };
	char path[INCIDENT_PATH_SIZE];
	int fd = memfd_create(RECORD, MFD_CLOEXEC);

	analysis.out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!analysis.out)
		return error_errno(RECORD);
	struct error *err = analyze(capture, analysis_record, &analysis);
	capture->found->crash_s = analysis.answers.crash_s;
	memcpy(capture->found->boot_id, analysis.answers.boot_id, sizeof(analysis.answers.boot_id));
	capture->found->no_record = err && analysis.answers.no_record;
	if (!err) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		err = record_from_file(path, ret);
	}
	fclose(analysis.out);
	return err;
}

struct error *step_record(void *arg)
{
	struct capture *capture = arg;
	struct findings *found = capture->found;
	_cleanup_(record_deinit) struct record record = { 0 };
	struct incident incident;

	struct error *err = read_record(capture, &record);
	if (err)
		return err;
	note_header(found, record.header);
	err = open_incident(capture, record.header, &incident);
	if (!err) {
		memcpy(found->incident, incident.id, sizeof(found->incident));
		err = write_record(&incident, &record);
		found->record_saved = !err;
		incident_close(&incident);
	}
	return err;
}

/* Who triggers without a flight record, or for a drill, says so in the log, at its end. */
static void note_said(struct capture *capture)
{
	struct findings *found = capture->found;
	char path[INCIDENT_PATH_SIZE], tail[LOG_TAIL + 1], said[sizeof(found->fired_reason)];

	if (found->fired_by != RECORD_FIRED_NONE)
		return;
	incident_path(&capture->incident, DMESG, path);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	if (!file || (fseek(file, -LOG_TAIL, SEEK_END) && fseek(file, 0, SEEK_SET)))
		return;
	tail[fread(tail, 1, LOG_TAIL, file)] = '\0';
	if (!triggers_find_said(tail, said, sizeof(said)))
		return;
	found->drill = !strcmp(said, TRIGGERS_DRILL);
	if (found->has_record && !found->drill)
		return;
	memcpy(found->fired_reason, said, sizeof(said));
	found->fired_by = RECORD_FIRED_SYSRQ;
	found->fired_cpu = -1;
}

struct error *step_dmesg(void *arg)
{
	struct capture *capture = arg;
	struct analysis analysis = { .vmcore = VMCORE, .symbols = capture->symbols };
	struct error *err = incident_open_file(&capture->incident, DMESG, &analysis.out);

	if (!err)
		err = analyze(capture, analysis_dmesg, &analysis);
	err = incident_close_file(&capture->incident, DMESG, analysis.out, err);
	if (!err)
		note_said(capture);
	return err;
}

/* So that its owner knows it, where several share a store, though there may never be a manifest. */
struct error *step_rig(void *arg)
{
	const struct capture *capture = arg;
	const struct config *config = &capture->config;
	const char *boot_id = capture_boot_id(capture);
	struct json_object *json = json_object_new_object();

	json_add(json, "schema", json_text("lockdump.rig/1"));
	json_add(json, "release", json_text(config->release));
	json_add(json, "boot_id", json_text_or_null(boot_id));
	json_add(json, "rig", json_text_or_null(config->rig));
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct error *err = text ? incident_write(&capture->incident, RIG, text, strlen(text))
				 : &error_no_memory;
	json_object_put(json);
	return err;
}

struct error *step_symbols(void *arg)
{
	const struct capture *capture = arg;
	_cleanup_(kept_symbols_deinit) struct kept_symbols symbols;
	struct error *err = kept_symbols_read(capture->symbols, &symbols);

	return err ? err
		   : incident_write(&capture->incident, KEPT_SYMBOLS_NAME, symbols.text,
				    symbols.size);
}

struct error *step_report(void *arg)
{
	struct capture *capture = arg;
	struct findings *found = capture->found;
	const struct incident *incident = &capture->incident;
	char record[INCIDENT_PATH_SIZE], name[PATH_MAX + INCIDENT_ID_SIZE + 16];
	struct analysis analysis = { .vmcore = VMCORE,
				     .record = record,
				     .name = name,
				     .symbols = capture->symbols,
				     .log = capture->log };

	/* Of a store that was tried before. */
	if (capture->log)
		capture->log->count = 0;
	incident_path(incident, RECORD, record);
	/* Where its reader will find it. */
	snprintf(name, sizeof(name), "%s/%s/%s", capture->place.folder, incident->id,
		 capture_dump_name(capture));
	struct error *err = incident_open_file(incident, "report.txt", &analysis.out);
	if (!err)
		err = incident_open_file(incident, "report.json", &analysis.json);
	found->report_begun = !err;
	if (!err)
		err = analyze(capture, analysis_report, &analysis);
	found->has_report = analysis.answers.has_report;
	found->content = analysis.answers.content;
	err = incident_close_file(incident, "report.json", analysis.json, err);
	if (err && analysis.answers.text_done) {
		error_destroy(incident_close_file(incident, "report.txt", analysis.out, NULL));
		return err;
	}
	return incident_close_file(incident, "report.txt", analysis.out, err);
}

struct error *step_report_to_console(void *arg)
{
	struct capture *capture = arg;
	struct analysis analysis = {
		.vmcore = VMCORE, .name = VMCORE, .symbols = capture->symbols, .out = stdout
	};

	printf("----- lockdump report begins -----\n");
	struct error *err = analyze(capture, analysis_report, &analysis);
	printf("----- lockdump report ends -----\n");
	return err;
}

/*
 * What there is of a dump that did not fit leaves no room for anything: neither here, nor for the rig after the reboot. The
 * report says more than that half of it; without one it stays.
 */
static struct error *give_room_back(const struct capture *capture, struct error *why)
{
	if (!capture->found->has_report || store_room(capture->store) > ROOM_SCARCE)
		return why;
	char name[32];
	snprintf(name, sizeof(name), "%s.incomplete", capture_dump_name(capture));
	struct error *err = incident_remove(&capture->incident, name);
	if (err) {
		error_destroy(err);
		return why;
	}
	err = error_create(why->class, "%s; no room: what there was of it is removed",
			   why->message);
	error_destroy(why);
	return err;
}

static struct error *save_encrypted(struct capture *capture)
{
	struct findings *found = capture->found;
	struct encryption encryption = {
		.level = capture->config.dump_level,
		.compression = capture->config.compression,
		.room = capture->room,
		.sieve = {
			.wanted = capture->log,
			.kept = capture->kept,
			.most_bytes = memory_available_kb() * 1024 / KEPT_SHARE,
			.why = found->unproven,
		},
	};
	FILE *out = NULL;

	found->unproven[0] = '\0';
	/* Of the try before. */
	if (capture->kept >= 0 &&
	    (ftruncate(capture->kept, 0) || lseek(capture->kept, 0, SEEK_SET)))
		return error_errno("memory");
	struct error *err = incident_open_file(&capture->incident, INCIDENT_VMCORE_ENCRYPTED, &out);
	if (!err) {
		encryption.out = fileno(out);
		err = encryption_save(&encryption);
	}
	err = incident_close_file(&capture->incident, INCIDENT_VMCORE_ENCRYPTED, out, err);
	return err ? give_room_back(capture, err) : NULL;
}

struct error *step_vmcore(void *arg)
{
	struct capture *capture = arg;

	if (capture->config.encrypt)
		return save_encrypted(capture);
	struct error *err =
		makedumpfile_save(capture->config.dump_level, capture->config.compression,
				  capture->incident.dirfd, "vmcore.incomplete", capture->room);

	return err ? give_room_back(capture, err)
		   : incident_rename(&capture->incident, "vmcore.incomplete", INCIDENT_VMCORE);
}

struct error *step_proof(void *arg)
{
	struct capture *capture = arg;
	const struct findings *found = capture->found;
	char vmcore[INCIDENT_PATH_SIZE], record[INCIDENT_PATH_SIZE];
	struct analysis analysis = {
		.vmcore = vmcore,
		.name = vmcore,
		.record = found->record_saved ? record : NULL,
		.symbols = capture->symbols,
	};

	if (!found->has_report)
		return error_create(ERROR_OTHER, "there is no report to compare with");
	if (*found->unproven)
		return error_create(ERROR_OTHER, "%.*s", SIEVE_WHY, found->unproven);
	if (capture->config.encrypt)
		snprintf(vmcore, sizeof(vmcore), "/proc/self/fd/%d", capture->kept);
	else
		incident_path(&capture->incident, INCIDENT_VMCORE, vmcore);
	incident_path(&capture->incident, RECORD, record);
	struct error *err = analyze(capture, analysis_proof, &analysis);
	return err ? err : proof_compare(&analysis.answers.content, &found->content);
}

/* The report's head is read back from the store: it is what the sandbox has left there, and no more is believed of it. */
struct error *step_manifest(void *arg)
{
	struct capture *capture = arg;

	report_head_read(capture->incident.dirfd, &capture->manifest.report);
	return manifest_write(&capture->incident, &capture->manifest);
}
