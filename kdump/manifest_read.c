// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/manifest_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SCHEMA	    "lockdump.manifest/"
#define MOST_TIME_S 253402300800.0 /* the end of 9999 */

struct error *manifest_load(const struct incident *incident, struct json_object **ret)
{
	struct json_object *json = json_file_read(incident->dirfd, MANIFEST_NAME);
	char schema[32];

	*ret = NULL;
	if (!json && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND, "incident %s: there is no " MANIFEST_NAME,
				    incident->id);
	if (!json)
		return error_create(ERROR_CORRUPT, "incident %s: " MANIFEST_NAME ": %s",
				    incident->id, errno == EINVAL ? "no JSON" : strerror(errno));
	json_copy_text(json, "schema", schema, sizeof(schema));
	if (strncmp(schema, SCHEMA, strlen(SCHEMA))) {
		json_object_put(json);
		return error_create(ERROR_CORRUPT,
				    "incident %s: " MANIFEST_NAME ": its schema is not " SCHEMA "1",
				    incident->id);
	}
	*ret = json;
	return NULL;
}

static const char *one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words))
		words++;
	return *words;
}

/* The word that the manifest's writer knows by that, too. */
static const char *read_outcome(struct json_object *object)
{
	static const char *const outcomes[] = { "done",	   "failed",	 "timeout",
						"skipped", "not proven", NULL };
	char word[16];

	json_copy_text(object, "outcome", word, sizeof(word));
	const char *outcome = one_of(word, outcomes);
	return outcome ? outcome : "unknown";
}

/* Unknown if no clock can have said it. */
static double read_time(struct json_object *object, const char *name)
{
	double time_s = json_get_double(object, name);

	return time_s > 0 && time_s < MOST_TIME_S ? time_s : 0;
}

static void read_times(struct json_object *object, struct manifest *ret)
{
	ret->onset_s = read_time(object, "onset");
	ret->trigger_s = read_time(object, "trigger");
	ret->capture_start_s = read_time(object, "capture_start");
	ret->report_done_s = read_time(object, "report_done");
	ret->vmcore_done_s = read_time(object, "vmcore_done");
}

static void read_trigger(struct json_object *object, struct manifest *ret)
{
	static const char *const words[] = { "sysrq", "kernel", "panic", NULL };
	struct json_object *cpu = json_member(object, "cpu");
	char by[16];

	json_copy_text(object, "by", by, sizeof(by));
	ret->trigger_by = one_of(by, words);
	json_copy_text(object, "reason", ret->trigger_reason, sizeof(ret->trigger_reason));
	ret->trigger_cpu = json_object_is_type(cpu, json_type_int) ? json_object_get_int(cpu) : -1;
}

static size_t length_of(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static void read_dump(struct json_object *object, struct manifest *ret)
{
	struct json_object *tries = json_member(object, "tries");

	for (size_t i = 0; i < length_of(tries) && i < MANIFEST_MAX_TRIES; i++) {
		struct json_object *one = json_object_array_get_idx(tries, i);
		manifest_add_try(ret, json_get_number(one, "level"))->outcome = read_outcome(one);
	}
	ret->dump_level = json_get_number(object, "level");
	json_copy_text(object, "compression", ret->compression, sizeof(ret->compression));
	ret->encrypted = json_get_bool(object, "encrypted");
	json_copy_text(object, "makedumpfile", ret->makedumpfile, sizeof(ret->makedumpfile));
	ret->proven = json_get_bool(object, "proven");
}

static unsigned long positive(int64_t number)
{
	return number > 0 ? number : 0;
}

static void read_steps(struct json_object *steps, struct manifest *ret)
{
	for (size_t i = 0; i < length_of(steps) && i < MANIFEST_MAX_STEPS; i++) {
		struct json_object *one = json_object_array_get_idx(steps, i);
		struct manifest_step *step = &ret->steps[ret->nr_steps++];
		json_copy_text(one, "name", step->name, sizeof(step->name));
		step->seconds = json_get_double(one, "seconds");
		step->outcome = read_outcome(one);
		json_copy_text(one, "why", step->why, sizeof(step->why));
	}
}

/* FILE or FOLDER/FILE, neither hidden nor "..". */
static bool is_safe(const char *name)
{
	const char *slash = strchr(name, '/');

	if (slash && (slash[1] == '.' || !slash[1] || strchr(slash + 1, '/')))
		return false;
	return *name && *name != '.' && *name != '/' && strlen(name) < 512;
}

static struct error *read_file(struct json_object *object, struct manifest_files *ret)
{
	struct json_object *name = json_member(object, "name");
	struct manifest_file *file = &ret->items[ret->count];

	if (!json_object_is_type(name, json_type_string) || !is_safe(json_object_get_string(name)))
		return error_create(ERROR_CORRUPT, "a file's name is none of an incident's");
	*file = (struct manifest_file){ .size = json_get_number(object, "size") };
	json_copy_text(object, "sha256", file->sha256, sizeof(file->sha256));
	file->name = strdup(json_object_get_string(name));
	if (!file->name)
		return &error_no_memory;
	ret->count++;
	return NULL;
}

static struct error *read_files(struct json_object *files, struct manifest_files *ret)
{
	struct error *err = NULL;

	*ret = (struct manifest_files){ 0 };
	if (!length_of(files))
		return NULL;
	ret->items = calloc(length_of(files), sizeof(*ret->items));
	if (!ret->items)
		return &error_no_memory;
	for (size_t i = 0; !err && i < length_of(files); i++)
		err = read_file(json_object_array_get_idx(files, i), ret);
	if (err)
		manifest_files_deinit(ret);
	return error_prefix(err, MANIFEST_NAME);
}

struct error *manifest_parse(struct json_object *json, struct manifest *ret,
			     struct manifest_files *files)
{
	struct json_object *memory = json_member(json, "memory");

	*ret = (struct manifest){ 0 };
	json_copy_text(json, "id", ret->id, sizeof(ret->id));
	json_copy_text(json, "kernel", ret->kernel, sizeof(ret->kernel));
	json_copy_text(json, "rig", ret->rig, sizeof(ret->rig));
	report_head_from_json(json_member(json, "report"), &ret->report);
	read_times(json_member(json, "times"), ret);
	read_trigger(json_member(json, "trigger"), ret);
	read_dump(json_member(json, "dump"), ret);
	ret->reserved_kb = positive(json_get_number(memory, "reserved_kb"));
	ret->peak_kb = positive(json_get_number(memory, "peak_kb"));
	read_steps(json_member(json, "steps"), ret);
	ret->complete = json_get_bool(json, "complete");
	ret->drill = json_get_bool(json, "drill");
	return files ? read_files(json_member(json, "files"), files) : NULL;
}

struct error *manifest_read(const struct incident *incident, struct manifest *ret,
			    struct manifest_files *files)
{
	_cleanup_(json_putp) struct json_object *json = NULL;
	struct error *err = manifest_load(incident, &json);

	return err ? err : manifest_parse(json, ret, files);
}
