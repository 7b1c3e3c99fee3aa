// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/mending.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "kdump/checking.h"
#include "kdump/manifest_read.h"
#include "kdump/wording.h"
#include "state/record.h"

#define INCOMPLETE ".incomplete"

/* What the flight record knows of the crash; the capture kernel would have told the same. */
static void take_record(const struct incident *incident, struct manifest *ret)
{
	static const char *const by[] = {
		[RECORD_FIRED_SYSRQ] = "sysrq",
		[RECORD_FIRED_KERNEL] = "kernel",
	};
	struct record_header header;

	if (!incident_record_header(incident, &header))
		return;
	snprintf(ret->kernel, sizeof(ret->kernel), "%s", header.release);
	clean_text(ret->kernel);
	if (header.fired_by == RECORD_FIRED_NONE || header.fired_by >= sizeof(by) / sizeof(by[0]))
		return;
	ret->trigger_by = by[header.fired_by];
	ret->onset_s = record_realtime_ns(&header, header.fired_onset_ns) / 1e9;
	ret->trigger_s = record_realtime_ns(&header, header.fired_ns) / 1e9;
	ret->trigger_cpu = header.fired_cpu;
	snprintf(ret->trigger_reason, sizeof(ret->trigger_reason), "%s", header.fired_reason);
	clean_text(ret->trigger_reason);
}

/* A step for each file that was not written to its end. */
static void add_unfinished_steps(const struct incident *incident, struct manifest *ret)
{
	int fd = openat(incident->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		char name[sizeof(ret->steps[0].name)], size[SIZE_WORDS], why[64];
		size_t length = strlen(entry->d_name), suffix = strlen(INCOMPLETE);
		struct stat st;
		if (length <= suffix || strcmp(entry->d_name + length - suffix, INCOMPLETE) ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(length - suffix), entry->d_name);
		clean_text(name);
		word_size(st.st_size, size);
		snprintf(why, sizeof(why), "not written to its end: %s are there", size);
		manifest_add_step(ret, name, 0, "failed", why);
	}
	closedir(dir);
}

static struct error *make_manifest(const struct incident *incident,
				   const struct incident_summary *one)
{
	struct manifest manifest = { .trigger_cpu = -1 };

	memcpy(manifest.id, incident->id, sizeof(manifest.id));
	take_record(incident, &manifest);
	if (one->kernel)
		snprintf(manifest.kernel, sizeof(manifest.kernel), "%s", one->kernel);
	report_head_read(incident->dirfd, &manifest.report);
	manifest.encrypted = one->encrypted;
	add_unfinished_steps(incident, &manifest);
	manifest_add_step(&manifest, "harvest", 0, "done",
			  "there was no manifest: this one was made of what was left");
	return manifest_write(incident, &manifest);
}

static void add_step(struct json_object *json, const struct manifest_step *which, const char *why)
{
	struct json_object *steps = json_member(json, "steps");
	struct manifest_step step = *which;

	snprintf(step.why, sizeof(step.why), "%s", why);
	if (!json_object_is_type(steps, json_type_array)) {
		steps = json_object_new_array();
		json_object_object_add(json, "steps", steps);
	}
	json_object_array_add(steps, manifest_step_to_json(&step));
}

/* "vmcore gone, report.json has 12 B", as much as fits. */
static void describe_loss(const struct incident *incident, const struct manifest_files *files,
			  char *ret, size_t size)
{
	size_t used = 0;

	*ret = '\0';
	for (size_t i = 0; i < files->count && used < size; i++) {
		char found[CHECKING_WORDS];
		if (!checking_file(incident, &files->items[i], false, found))
			used += snprintf(ret + used, size - used, "%s%s %s", used ? ", " : "",
					 files->items[i].name, found);
	}
	clean_text(ret);
}

/* A harvest before this one has said it already. */
static bool is_told(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->nr_steps; i++)
		if (!strcmp(manifest->steps[i].name, "harvest"))
			return !manifest->complete;
	return false;
}

static struct error *change_manifest(const struct incident *incident,
				     const struct incident_summary *one, struct json_object *json)
{
	struct manifest_files files;
	struct manifest manifest;
	char why[256];
	struct error *err = manifest_parse(json, &manifest, &files);

	if (err)
		return err;
	if (is_told(&manifest)) {
		manifest_files_deinit(&files);
		return NULL;
	}
	describe_loss(incident, &files, why, sizeof(why));
	json_object_object_add(json, "complete", json_object_new_boolean(false));
	add_step(json, &(struct manifest_step){ .name = "harvest", .outcome = "failed" },
		 *why ? why : one->unfinished_why);
	manifest_files_deinit(&files);
	return manifest_store(incident, json);
}

struct error *mending_mend(const struct incident *incident, const struct incident_summary *one)
{
	_cleanup_(json_putp) struct json_object *json = NULL;
	struct error *err = NULL;

	if (!one->has_manifest)
		return make_manifest(incident, one);
	err = manifest_load(incident, &json);
	return err ? err : change_manifest(incident, one, json);
}

/* Puts @file in the place of the one of its name, or behind all others. */
static void set_file(struct json_object *json, const struct manifest_file *file)
{
	struct json_object *files = json_member(json, "files");
	char name[64];

	if (!json_object_is_type(files, json_type_array)) {
		files = json_object_new_array();
		json_object_object_add(json, "files", files);
	}
	size_t count = json_object_array_length(files), i = 0;
	for (; i < count; i++) {
		json_copy_text(json_object_array_get_idx(files, i), "name", name, sizeof(name));
		if (!strcmp(name, file->name))
			break;
	}
	json_object_array_put_idx(files, i, manifest_file_to_json(file));
}

static struct error *take_file(const struct incident *incident, const char *name,
			       struct json_object *json)
{
	_cleanup_close_ int fd =
		openat(incident->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct manifest_file file = { .name = (char *)name };
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error_errno("incident %s: %s", incident->id, name);
	file.size = st.st_size;
	struct error *err = sha256_of(fd, name, file.sha256);
	if (!err)
		set_file(json, &file);
	return err;
}

struct error *mending_take_report(const struct incident *incident, const char *why, double seconds)
{
	_cleanup_(json_putp) struct json_object *json = NULL;
	struct report_head head;
	struct error *err = manifest_load(incident, &json);

	if (!err)
		err = take_file(incident, REPORT_TEXT, json);
	if (!err)
		err = take_file(incident, REPORT_JSON, json);
	if (err)
		return err;
	if (report_head_read(incident->dirfd, &head))
		json_object_object_add(json, "report", report_head_to_json(&head));
	add_step(json,
		 &(struct manifest_step){ .name = "report", .seconds = seconds, .outcome = "done" },
		 why);
	return manifest_store(incident, json);
}
