// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/lost_crashes.h"

#include <string.h>

#include "base/cleanup.h"
#include "kdump/drill.h"
#include "kdump/json_file.h"
#include "kdump/manifest_read.h"
#include "kdump/state_folder.h"
#include "kdump/triggers.h"

#define SCHEMA	  "lockdump.boots/1"
#define FILE_NAME "boots.json"
#define MOST	  64 /* who allows more crashes than that has no use for the limit */

struct boots {
	char armed[40]; /* boot id; "": none */
	double lost_s[MOST];
	size_t nr_lost;
};

static void read_boots(const struct incident *folder, struct boots *ret)
{
	_cleanup_(json_putp) struct json_object *json = json_file_read(folder->dirfd, FILE_NAME);
	struct json_object *lost = json_member(json, "lost");
	bool is_array = json_object_is_type(lost, json_type_array);
	size_t length = is_array ? json_object_array_length(lost) : 0;

	*ret = (struct boots){ 0 };
	json_copy_text(json, "armed", ret->armed, sizeof(ret->armed));
	for (size_t i = length > MOST ? length - MOST : 0; i < length; i++)
		ret->lost_s[ret->nr_lost++] =
			json_object_get_double(json_object_array_get_idx(lost, i));
}

static struct error *write_boots(const struct incident *folder, const struct boots *boots)
{
	struct json_object *json = json_object_new_object(), *lost = json_object_new_array();

	for (size_t i = 0; i < boots->nr_lost; i++)
		json_object_array_add(lost, json_double(boots->lost_s[i]));
	json_add(json, "schema", json_text(SCHEMA));
	json_add(json, "armed", json_text(*boots->armed ? boots->armed : NULL));
	json_add(json, "lost", lost);
	return state_folder_write(folder, FILE_NAME, json);
}

/* Whether a capture kernel has told of it, or it counts by its record. */
static bool tells_the_end(const struct incident *incident)
{
	struct manifest manifest;
	struct error *err = manifest_read(incident, &manifest, NULL);
	bool captured = !err && manifest.capture_start_s;

	error_destroy(err);
	return captured || triggers_when(incident) > 0;
}

struct search {
	const char *boot_id;
	bool found;
};

static bool look_at(const struct incident *incident, void *arg)
{
	struct search *search = arg;

	search->found =
		incident_id_is_of_boot(incident->id, search->boot_id) && tells_the_end(incident);
	return search->found;
}

static bool is_in_store(const char *store, const char *boot_id)
{
	struct search search = { .boot_id = boot_id };

	error_destroy(store_walk_ours(store, look_at, &search));
	return search.found;
}

/* Whatever became of it, it was not the rig that hung. */
static bool is_drill(const struct incident *folder, const char *boot_id)
{
	_cleanup_(json_putp) struct json_object *note = json_file_read(folder->dirfd, DRILL_NOTE);
	char of_boot[40];

	json_copy_text(note, "boot_id", of_boot, sizeof(of_boot));
	return !strcmp(of_boot, boot_id);
}

static void add_lost(struct boots *boots, double when_s)
{
	if (boots->nr_lost == MOST)
		memmove(boots->lost_s, boots->lost_s + 1, --boots->nr_lost * sizeof(double));
	boots->lost_s[boots->nr_lost++] = when_s;
}

struct error *lost_crashes_settle(const char *root, const char *store, const char *boot_id,
				  double now_s, bool *ret_lost)
{
	struct incident folder;
	struct boots boots;
	struct error *err = state_folder_make(root, &folder);

	*ret_lost = false;
	if (err)
		return err;
	read_boots(&folder, &boots);
	if (*boots.armed && strcmp(boots.armed, boot_id)) {
		*ret_lost = !is_drill(&folder, boots.armed) && !is_in_store(store, boots.armed);
		if (*ret_lost)
			add_lost(&boots, now_s);
		boots.armed[0] = '\0';
		err = write_boots(&folder, &boots);
	}
	incident_close(&folder);
	return err;
}

struct error *lost_crashes_arm(const char *root, const char *boot_id)
{
	struct incident folder;
	struct boots boots;
	struct error *err = state_folder_make(root, &folder);

	if (err)
		return err;
	read_boots(&folder, &boots);
	if (strcmp(boots.armed, boot_id ? boot_id : "")) {
		snprintf(boots.armed, sizeof(boots.armed), "%s", boot_id ? boot_id : "");
		err = write_boots(&folder, &boots);
	}
	incident_close(&folder);
	return err;
}

unsigned int lost_crashes_count(const char *root, double since_s)
{
	struct incident folder;
	struct boots boots;
	unsigned int count = 0;
	struct error *err = state_folder_open(root, &folder);

	error_destroy(err);
	if (err)
		return 0;
	read_boots(&folder, &boots);
	incident_close(&folder);
	for (size_t i = 0; i < boots.nr_lost; i++)
		count += boots.lost_s[i] >= since_s;
	return count;
}
