// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/harvest_mark.h"

#include <string.h>
#include <time.h>

#include "kdump/incidents.h"
#include "kdump/json_file.h"

void harvest_mark_read(const struct incident *incident, struct harvest_mark *ret)
{
	struct json_object *json = json_file_read(incident->dirfd, INCIDENT_HARVESTED);
	int64_t attempts = json_get_number(json, "attempts");

	*ret = (struct harvest_mark){
		.attempts = attempts > 0 && attempts < 1000 ? attempts : 0,
		.done = json_get_bool(json, "done"),
		.replacing = json_get_bool(json, "replacing"),
	};
	json_object_put(json);
}

struct error *harvest_mark_write(const struct incident *incident, const struct harvest_mark *mark)
{
	struct json_object *json = json_object_new_object();

	json_add(json, "schema", json_text("lockdump.harvested/1"));
	json_add(json, "time", json_object_new_int64(time(NULL)));
	json_add(json, "attempts", json_object_new_int64(mark->attempts));
	json_add(json, "done", json_object_new_boolean(mark->done));
	json_add(json, "replacing", json_object_new_boolean(mark->replacing));
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_SPACED);
	struct error *err = text ? incident_write(incident, INCIDENT_HARVESTED, text, strlen(text))
				 : &error_no_memory;
	json_object_put(json);
	return err;
}
