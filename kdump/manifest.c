// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "kdump/incidents.h"

#define SCHEMA	    "lockdump.manifest/1"
#define HOLLOW_SIZE (1 << 30)

void manifest_add_step(struct manifest *manifest, const char *name, double seconds,
		       const char *outcome, const char *why)
{
	if (manifest->nr_steps == MANIFEST_MAX_STEPS)
		return;
	struct manifest_step *step = &manifest->steps[manifest->nr_steps++];
	*step = (struct manifest_step){ .seconds = seconds, .outcome = outcome };
	snprintf(step->name, sizeof(step->name), "%s", name);
	snprintf(step->why, sizeof(step->why), "%s", why ? why : "");
}

void manifest_explain_step(struct manifest *manifest, const char *format, ...)
{
	struct manifest_step *step = &manifest->steps[manifest->nr_steps - 1];
	char why[sizeof(step->why)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	size_t used = strlen(why);
	if (*step->why)
		snprintf(why + used, sizeof(why) - used, "; %s", step->why);
	memcpy(step->why, why, sizeof(why));
}

struct manifest_try *manifest_add_try(struct manifest *manifest, unsigned int level)
{
	size_t last = MANIFEST_MAX_TRIES - 1;
	struct manifest_try *try =
		&manifest->tries[manifest->nr_tries > last ? last : manifest->nr_tries++];

	*try = (struct manifest_try){ .level = level };
	return try;
}

static struct json_object *time_or_null(double s)
{
	return s ? json_double(s) : NULL;
}

static struct json_object *number_or_null(int64_t number, bool known)
{
	return known ? json_object_new_int64(number) : NULL;
}

static struct json_object *times(const struct manifest *manifest)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "onset", time_or_null(manifest->onset_s));
	json_add(object, "trigger", time_or_null(manifest->trigger_s));
	json_add(object, "capture_start", time_or_null(manifest->capture_start_s));
	json_add(object, "report_done", time_or_null(manifest->report_done_s));
	json_add(object, "vmcore_done", time_or_null(manifest->vmcore_done_s));
	return object;
}

static struct json_object *trigger(const struct manifest *manifest)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "by", json_text_or_null(manifest->trigger_by));
	json_add(object, "reason", json_text_or_null(manifest->trigger_reason));
	json_add(object, "cpu", number_or_null(manifest->trigger_cpu, manifest->trigger_cpu >= 0));
	return object;
}

static struct json_object *dump(const struct manifest *manifest)
{
	struct json_object *object = json_object_new_object(), *tries = json_object_new_array();
	bool tried = manifest->nr_tries;

	for (size_t i = 0; i < manifest->nr_tries; i++) {
		struct json_object *one = json_object_new_object();
		json_add(one, "level", json_object_new_int64(manifest->tries[i].level));
		json_add(one, "outcome", json_text_or_null(manifest->tries[i].outcome));
		json_object_array_add(tries, one);
	}
	json_add(object, "level", number_or_null(manifest->dump_level, tried));
	json_add(object, "compression", tried ? json_text_or_null(manifest->compression) : NULL);
	json_add(object, "makedumpfile", tried ? json_text_or_null(manifest->makedumpfile) : NULL);
	json_add(object, "tries", tries);
	json_add(object, "encrypted", json_object_new_boolean(manifest->encrypted));
	json_add(object, "proven", json_object_new_boolean(manifest->proven));
	return object;
}

static struct json_object *memory(const struct manifest *manifest)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "reserved_kb",
		 number_or_null(manifest->reserved_kb, manifest->reserved_kb));
	json_add(object, "peak_kb", number_or_null(manifest->peak_kb, manifest->peak_kb));
	return object;
}

struct json_object *manifest_step_to_json(const struct manifest_step *step)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "name", json_text_or_null(step->name));
	json_add(object, "seconds", json_double(step->seconds));
	json_add(object, "outcome", json_text_or_null(step->outcome));
	json_add(object, "why", json_text_or_null(step->why));
	return object;
}

static struct json_object *steps(const struct manifest *manifest)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < manifest->nr_steps; i++)
		json_object_array_add(array, manifest_step_to_json(&manifest->steps[i]));
	return array;
}

struct json_object *manifest_file_to_json(const struct manifest_file *file)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "name", json_text_or_null(file->name));
	json_add(object, "size", json_object_new_int64(file->size));
	json_add(object, "sha256", json_text_or_null(file->sha256));
	return object;
}

static struct json_object *file_list(const struct manifest_files *files)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < files->count; i++)
		json_object_array_add(array, manifest_file_to_json(&files->items[i]));
	return array;
}

struct json_object *manifest_to_json(const struct manifest *manifest,
				     const struct manifest_files *files)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "schema", json_text_or_null(SCHEMA));
	json_add(object, "id", json_text_or_null(manifest->id));
	json_add(object, "kernel", json_text_or_null(manifest->kernel));
	json_add(object, "rig", json_text_or_null(manifest->rig));
	json_add(object, "report", report_head_to_json(&manifest->report));
	json_add(object, "times", times(manifest));
	json_add(object, "trigger", trigger(manifest));
	json_add(object, "drill", json_object_new_boolean(manifest->drill));
	json_add(object, "dump", dump(manifest));
	json_add(object, "memory", memory(manifest));
	json_add(object, "steps", steps(manifest));
	json_add(object, "files", file_list(files));
	json_add(object, "complete", json_object_new_boolean(manifest->complete));
	return object;
}

struct error *manifest_store(const struct incident *incident, struct json_object *json)
{
	_cleanup_free_ char *line = NULL;
	const char *text = json_object_to_json_string_ext(
		json,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text || asprintf(&line, "%s\n", text) < 0)
		return &error_no_memory;
	return incident_write(incident, MANIFEST_NAME, line, strlen(line));
}

struct error *manifest_write(const struct incident *incident, const struct manifest *manifest)
{
	struct manifest_files files;
	struct error *err = manifest_list(incident, &files);

	if (err)
		return err;
	struct json_object *json = manifest_to_json(manifest, &files);
	err = manifest_store(incident, json);
	json_object_put(json);
	manifest_files_deinit(&files);
	return err;
}

static bool is_listed(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && strcmp(name, MANIFEST_NAME) && strcmp(name, INCIDENT_KEEP) &&
	       strcmp(name, INCIDENT_HARVESTED) && (!dot || strcmp(dot, ".incomplete"));
}

/* A folder in the incident that is being listed: what it is called there, with a '/' at its end; "" is the incident. */
struct folder {
	const struct incident *incident;
	const char *prefix;
	int fd;
};

/* A terabyte of holes that somebody has put there is not read. */
static bool is_hollow(const struct stat *st)
{
	return st->st_size > HOLLOW_SIZE && st->st_blocks * 512 < st->st_size / 16;
}

static struct error *add_regular(const struct folder *folder, const char *name, int fd,
				 const struct stat *st, struct manifest_files *files)
{
	struct manifest_file *items = realloc(files->items, (files->count + 1) * sizeof(*items));

	if (!items)
		return &error_no_memory;
	files->items = items;
	struct manifest_file *file = &items[files->count];
	*file = (struct manifest_file){ .size = st->st_size };
	if (asprintf(&file->name, "%s%s", folder->prefix, name) < 0)
		return &error_no_memory;
	files->count++;
	return is_hollow(st) ? NULL : sha256_of(fd, file->name, file->sha256);
}

static struct error *list_folder(const struct folder *folder, struct manifest_files *files);

/* The incident's folders have none in them. */
static struct error *add_folder(const struct folder *parent, const char *name, int fd,
				struct manifest_files *files)
{
	char prefix[NAME_MAX + 2];

	if (*parent->prefix)
		return NULL;
	snprintf(prefix, sizeof(prefix), "%s/", name);
	return list_folder(&(struct folder){ parent->incident, prefix, fd }, files);
}

static struct error *add_file(const struct folder *folder, const char *name,
			      struct manifest_files *files)
{
	_cleanup_close_ int fd =
		openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	/* A symbolic link or a socket that somebody has planted must not cost the manifest. */
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return NULL;
	if (fd < 0 || fstat(fd, &st))
		return error_errno("%s/%s%s", folder->incident->id, folder->prefix, name);
	if (S_ISDIR(st.st_mode))
		return add_folder(folder, name, fd, files);
	return S_ISREG(st.st_mode) ? add_regular(folder, name, fd, &st, files) : NULL;
}

static struct error *list_folder(const struct folder *folder, struct manifest_files *files)
{
	struct error *err = NULL;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		err = error_errno("incident %s", folder->incident->id);
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (is_listed(entry->d_name))
			err = add_file(folder, entry->d_name, files);
	closedir(dir);
	return err;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct manifest_file *)a)->name,
		      ((const struct manifest_file *)b)->name);
}

struct error *manifest_list(const struct incident *incident, struct manifest_files *ret)
{
	const struct folder whole = { incident, "", incident->dirfd };

	*ret = (struct manifest_files){ 0 };
	struct error *err = list_folder(&whole, ret);
	if (err)
		manifest_files_deinit(ret);
	else if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	return err;
}

void manifest_files_deinit(struct manifest_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].name);
	free(files->items);
	*files = (struct manifest_files){ 0 };
}
