// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/drill.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/manifest_read.h"
#include "kdump/state_folder.h"

#define SCHEMA "lockdump.drill/1"

/* From the note to the crash; clocks are set back, too. */
#define EARLY_S 60

static const char *const outcome_names[] = {
	[DRILL_NEVER] = "never",
	[DRILL_UNKNOWN] = "unknown",
	[DRILL_FAILED] = "failed",
	[DRILL_PASSED] = "passed",
};

const char *drill_outcome_name(enum drill_outcome outcome)
{
	return outcome_names[outcome];
}

/* --- the note ------------------------------------------------------------------------ */

static struct json_object *seconds(double s)
{
	return s > 0 ? json_double(s) : NULL;
}

static struct json_object *steps_to_json(const struct drill *drill)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < drill->nr_steps; i++) {
		struct json_object *step = json_object_new_object();
		json_add(step, "name", json_text_or_null(drill->steps[i].name));
		json_add(step, "seconds", json_double(drill->steps[i].seconds));
		json_add(step, "outcome", json_text_or_null(drill->steps[i].outcome));
		json_object_array_add(array, step);
	}
	return array;
}

struct json_object *drill_to_json(const struct drill *drill)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "outcome", json_text(drill_outcome_name(drill->outcome)));
	json_add(object, "why", json_text_or_null(drill->why));
	json_add(object, "time", seconds(drill->time_s));
	json_add(object, "kernel", json_text_or_null(drill->release));
	json_add(object, "incident", json_text_or_null(drill->incident));
	json_add(object, "report_s", seconds(drill->report_s));
	json_add(object, "total_s", seconds(drill->total_s));
	json_add(object, "reserved_kb",
		 drill->reserved_kb ? json_number(drill->reserved_kb) : NULL);
	json_add(object, "peak_kb", drill->peak_kb ? json_number(drill->peak_kb) : NULL);
	json_add(object, "steps", steps_to_json(drill));
	return object;
}

static struct error *write_note(const char *root, const struct drill *drill)
{
	struct json_object *note = json_object_new_object();
	struct incident folder;
	struct error *err = state_folder_make(root, &folder);

	if (err) {
		json_object_put(note);
		return err;
	}
	json_add(note, "schema", json_text(SCHEMA));
	json_add(note, "boot_id", json_text_or_null(drill->boot_id));
	json_add(note, "store", json_text_or_null(drill->store));
	json_add(note, "store_uuid", json_text_or_null(drill->store_uuid));
	json_add(note, "drill", drill_to_json(drill));
	err = state_folder_write(&folder, DRILL_NOTE, note);
	incident_close(&folder);
	return err;
}

static void read_step(struct json_object *object, struct drill *drill)
{
	if (drill->nr_steps == MANIFEST_MAX_STEPS)
		return;
	struct drill_step *step = &drill->steps[drill->nr_steps++];
	json_copy_text(object, "name", step->name, sizeof(step->name));
	json_copy_text(object, "outcome", step->outcome, sizeof(step->outcome));
	step->seconds = json_get_double(object, "seconds");
}

static void read_steps(struct json_object *array, struct drill *drill)
{
	drill->nr_steps = 0;
	for (size_t i = 0;
	     json_object_is_type(array, json_type_array) && i < json_object_array_length(array);
	     i++)
		read_step(json_object_array_get_idx(array, i), drill);
}

static void from_json(struct json_object *note, struct drill *drill)
{
	struct json_object *object = json_member(note, "drill");
	char outcome[16];

	json_copy_text(note, "boot_id", drill->boot_id, sizeof(drill->boot_id));
	json_copy_text(note, "store", drill->store, sizeof(drill->store));
	json_copy_text(note, "store_uuid", drill->store_uuid, sizeof(drill->store_uuid));
	json_copy_text(object, "outcome", outcome, sizeof(outcome));
	drill->outcome = strcmp(outcome, "passed") ? DRILL_UNKNOWN : DRILL_PASSED;
	drill->time_s = json_get_double(object, "time");
	json_copy_text(object, "kernel", drill->release, sizeof(drill->release));
	json_copy_text(object, "incident", drill->incident, sizeof(drill->incident));
	drill->report_s = json_get_double(object, "report_s");
	drill->total_s = json_get_double(object, "total_s");
	drill->reserved_kb = json_get_number(object, "reserved_kb");
	drill->peak_kb = json_get_number(object, "peak_kb");
	read_steps(json_member(object, "steps"), drill);
}

/* ERROR_NOT_FOUND: there was none. */
static struct error *read_note(const char *root, struct drill *ret)
{
	struct incident folder;
	struct error *err = state_folder_open(root, &folder);

	if (err)
		return err;
	_cleanup_(json_putp) struct json_object *note = json_file_read(folder.dirfd, DRILL_NOTE);
	if (!note)
		err = errno == ENOENT ? error_create(ERROR_NOT_FOUND, "no drill")
				      : error_errno(STATE_FOLDER "/" DRILL_NOTE);
	else
		from_json(note, ret);
	incident_close(&folder);
	return err;
}

struct error *drill_begin(const char *root, struct drill *drill)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	drill->time_s = now.tv_sec + now.tv_nsec / 1e9;
	drill->outcome = DRILL_UNKNOWN;
	return write_note(root, drill);
}

void drill_forget(const char *root)
{
	struct incident folder;
	struct error *err = state_folder_open(root, &folder);

	if (!err) {
		state_folder_remove(&folder, DRILL_NOTE);
		incident_close(&folder);
	}
	error_destroy(err);
}

static void __attribute__((format(printf, 2, 3)))
blame(struct drill *drill, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(drill->why, sizeof(drill->why), format, args);
	va_end(args);
}

/* --- what came of it ----------------------------------------------------------------- */

static bool is_later(const char *id, double time_s)
{
	time_t from = time_s - EARLY_S;
	char stamp[32];
	struct tm tm;

	return gmtime_r(&from, &tm) && strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) &&
	       strncmp(id, stamp, strlen(stamp)) >= 0;
}

static bool blame_step(const struct manifest *manifest, struct drill *drill)
{
	for (size_t i = 0; i < manifest->nr_steps; i++) {
		const struct manifest_step *step = &manifest->steps[i];
		/* Without a recorder there is no record, and that is no failure. */
		if (!strcmp(step->outcome, "done") || !strcmp(step->name, "record"))
			continue;
		blame(drill, "%s: %s%s%s", step->name, step->outcome, *step->why ? ": " : "",
		      step->why);
		return true;
	}
	return false;
}

static void judge(const struct manifest *manifest, struct drill *drill)
{
	drill->report_s = manifest->report_done_s - manifest->capture_start_s;
	drill->total_s = manifest->vmcore_done_s - drill->time_s;
	drill->reserved_kb = manifest->reserved_kb;
	drill->peak_kb = manifest->peak_kb;
	drill->nr_steps = manifest->nr_steps;
	for (size_t i = 0; i < manifest->nr_steps; i++) {
		const struct manifest_step *step = &manifest->steps[i];
		struct drill_step *ret = &drill->steps[i];
		memcpy(ret->name, step->name, sizeof(ret->name));
		snprintf(ret->outcome, sizeof(ret->outcome), "%s", step->outcome);
		ret->seconds = step->seconds;
	}
	drill->outcome = manifest->complete && manifest->proven ? DRILL_PASSED : DRILL_FAILED;
	if (drill->outcome == DRILL_FAILED && !blame_step(manifest, drill))
		blame(drill, "%s",
		      manifest->complete ? "the vmcore was not proven" : "it is incomplete");
}

/* Of which nothing says that it is the drill's: the capture kernel may not have come so far. A stall's has no capture. */
static bool may_be_its(const struct incident *incident, const struct manifest *manifest,
		       const struct drill *drill)
{
	if (!is_later(incident->id, drill->time_s))
		return false;
	return !manifest || manifest->capture_start_s > drill->time_s - EARLY_S;
}

struct search {
	struct drill *drill;
	bool marked; /* those that say that they are a drill's come first */
	bool found;
};

/* Whether the incident is the drill's; then it is judged. */
static bool try_incident(const struct incident *incident, void *arg)
{
	struct search *search = arg;
	struct drill *drill = search->drill;
	struct manifest manifest;

	if (!incident_id_is_of_boot(incident->id, drill->boot_id))
		return false;
	struct error *err = manifest_read(incident, &manifest, NULL);
	if (search->marked ? err || !manifest.drill
			   : !may_be_its(incident, err ? NULL : &manifest, drill)) {
		error_destroy(err);
		return false;
	}
	search->found = true;
	memcpy(drill->incident, incident->id, sizeof(drill->incident));
	if (!err) {
		judge(&manifest, drill);
		return true;
	}
	drill->outcome = DRILL_FAILED;
	if (err->class == ERROR_NOT_FOUND)
		blame(drill, "it has no manifest: the capture did not come to its end");
	else
		blame(drill, "%s", err->message);
	error_destroy(err);
	return true;
}

static struct error *find_incident(struct drill *drill, bool *ret)
{
	struct search search = { .drill = drill, .marked = true };
	struct error *err = store_walk_ours(drill->store, try_incident, &search);

	search.marked = false;
	if (!err && !search.found)
		err = store_walk_ours(drill->store, try_incident, &search);
	*ret = search.found;
	return err;
}

/* An empty folder where a disk is to be mounted proves nothing. */
static bool store_is_there(struct drill *drill)
{
	struct store_device device;

	if (!*drill->store_uuid)
		return true;
	struct error *err = device_of_store(drill->store, &device);
	bool there = !err && !strcmp(device.uuid, drill->store_uuid);
	if (err)
		blame(drill, "%s", err->message);
	else if (!there)
		blame(drill, "store %s: not the file system that it was then", drill->store);
	error_destroy(err);
	return there;
}

static void look(struct drill *drill)
{
	bool found;

	drill->outcome = DRILL_UNKNOWN;
	struct error *err = find_incident(drill, &found);
	if (err) {
		blame(drill, "%s", err->message);
		error_destroy(err);
		return;
	}
	if (found || !store_is_there(drill))
		return;
	drill->outcome = DRILL_FAILED;
	blame(drill, "no incident came of it in %s", drill->store);
}

struct error *drill_look(const char *root, const char *boot_id, struct drill *ret)
{
	*ret = (struct drill){ 0 };
	struct error *err = read_note(root, ret);
	if (err && err->class == ERROR_NOT_FOUND) {
		error_destroy(err);
		return NULL;
	}
	if (err || ret->outcome == DRILL_PASSED)
		return err;
	if (!strcmp(ret->boot_id, boot_id)) {
		ret->outcome = DRILL_FAILED;
		blame(ret, "the machine was to crash and did not");
		return NULL;
	}
	look(ret);
	if (ret->outcome == DRILL_PASSED)
		error_destroy(write_note(root, ret));
	return NULL;
}
