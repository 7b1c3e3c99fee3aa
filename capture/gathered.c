// SPDX-License-Identifier: GPL-2.0-only
#include "capture/gathered.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "capture/clock.h"

static const char *const folder_names[] = {
	[GATHER_ONSET] = "onset",
	[GATHER_END] = "end",
};

static double realtime_s(void)
{
	return (double)clock_ns(CLOCK_REALTIME) / NS_PER_SEC;
}

static struct error *open_folder(struct gathered *gathered, const char *store,
				 const struct gather_request *request)
{
	struct incident incident;
	struct error *err = incident_open(store, request->incident, &incident);

	if (err)
		return err;
	err = incident_open_folder(&incident, folder_names[request->folder], &gathered->folder);
	incident_close(&incident);
	return err;
}

static bool is_open(const struct gathered *gathered, const struct gather_request *request)
{
	return gathered->folder.dirfd >= 0 && gathered->which == request->folder &&
	       !strncmp(gathered->folder.id, request->incident, sizeof(request->incident));
}

static bool has_task(const struct gathered *gathered, uint32_t pid)
{
	for (size_t i = 0; i < gathered->nr_stalls; i++)
		if (gathered->stalls[i].pid == pid)
			return pid;
	return false;
}

struct error *gathered_open(struct gathered *gathered, const char *store,
			    const struct gather_request *request, size_t *ret_first)
{
	if (!is_open(gathered, request)) {
		gathered_close(gathered);
		*gathered = (struct gathered){
			.folder.dirfd = -1,
			.which = request->folder,
			.began_s = realtime_s(),
		};
		struct error *err = open_folder(gathered, store, request);
		if (err)
			return err;
	}
	*ret_first = gathered->nr_stalls;
	for (size_t i = 0; i < request->nr_stalls; i++) {
		if (has_task(gathered, request->stalls[i].pid))
			continue;
		if (gathered->nr_stalls < GATHER_MAX_STALLS)
			gathered->stalls[gathered->nr_stalls++] = request->stalls[i];
		else
			gathered->left_out++;
	}
	return NULL;
}

static struct gathered_item *add_item(struct gathered *gathered, const char *name,
				      const char *outcome)
{
	size_t last = GATHERED_MAX - 1;
	struct gathered_item *item =
		&gathered->items[gathered->nr_items > last ? last : gathered->nr_items++];

	*item = (struct gathered_item){ .outcome = outcome };
	snprintf(item->name, sizeof(item->name), "%s", name);
	return item;
}

void gathered_skip(struct gathered *gathered, const char *name, const char *why)
{
	struct gathered_item *item = add_item(gathered, name, "skipped");

	snprintf(item->why, sizeof(item->why), "%s", why);
}

static bool is_whole(const struct reading *reading)
{
	return reading->end == READING_DONE;
}

/* What this kernel has not, or a task that is gone, is no failure. */
static bool is_absent(const struct reading *reading)
{
	return reading->end == READING_FAILED &&
	       (reading->error == ENOENT || reading->error == EOPNOTSUPP ||
		reading->error == ESRCH);
}

static const char *outcome_of(const struct reading *reading)
{
	if (is_whole(reading))
		return "done";
	if (is_absent(reading))
		return "skipped";
	return reading->end == READING_FAILED || reading->end == READING_LOST ? "failed"
									      : "timeout";
}

static void explain(const struct reading *reading, struct gathered_item *item)
{
	char *why = item->why;
	size_t size = sizeof(item->why);

	switch (reading->end) {
	case READING_DONE:
		if (reading->cut)
			snprintf(why, size, "there was more");
		break;
	case READING_FAILED:
		snprintf(why, size, "%s", strerror(reading->error));
		break;
	case READING_LOST:
		snprintf(why, size, "its reader died");
		break;
	case READING_KILLED:
		snprintf(why, size, "not done after %u s, killed", reading->limit_s);
		break;
	case READING_LEFT:
		snprintf(why, size, "not done after %u s", reading->limit_s);
		break;
	case READING_STUCK:
		snprintf(why, size, "not done after %u s, and cannot be killed", reading->limit_s);
		break;
	case READING_SPINS:
		snprintf(why, size, "not done after %u s: spins in the kernel", reading->limit_s);
		break;
	}
}

/* Consumes @err. */
static void fail(struct gathered_item *item, struct error *err)
{
	item->outcome = "failed";
	snprintf(item->why, sizeof(item->why), "%s", err->message);
	error_destroy(err);
}

void gathered_add(struct gathered *gathered, const char *name, const struct reading *reading)
{
	struct gathered_item *item = add_item(gathered, name, outcome_of(reading));

	item->seconds = reading->seconds;
	explain(reading, item);
	if (!reading->size && !is_whole(reading))
		return;
	struct error *err = incident_stage(&gathered->folder, name, reading->data, reading->size);
	if (err) {
		fail(item, err);
		return;
	}
	item->size = reading->size;
	item->staged = is_whole(reading);
}

static struct json_object *stall_list(const struct gathered *gathered)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < gathered->nr_stalls; i++) {
		const struct gather_stall *stall = &gathered->stalls[i];
		struct json_object *object = json_object_new_object();
		json_add(object, "cpu", json_number(stall->cpu));
		json_add(object, "pid", json_number(stall->pid ? stall->pid : UINT64_MAX));
		json_add(object, "comm", json_text(*stall->comm ? stall->comm : NULL));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *item_list(const struct gathered *gathered)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < gathered->nr_items; i++) {
		const struct gathered_item *item = &gathered->items[i];
		struct json_object *object = json_object_new_object();
		json_add(object, "name", json_text(item->name));
		json_add(object, "seconds", json_double(item->seconds));
		json_add(object, "outcome", json_text(item->outcome));
		json_add(object, "why", json_text(*item->why ? item->why : NULL));
		json_add(object, "size", json_number(item->size));
		json_object_array_add(array, object);
	}
	return array;
}

/* A file that cannot be brought to the disk is one of many that cannot. */
static void publish_staged(struct gathered *gathered)
{
	const char *names[GATHERED_MAX];
	size_t count = 0;

	for (size_t i = 0; i < gathered->nr_items; i++)
		if (gathered->items[i].staged)
			names[count++] = gathered->items[i].name;
	struct error *err = count ? incident_publish(&gathered->folder, names, count) : NULL;
	for (size_t i = 0; i < gathered->nr_items; i++) {
		struct gathered_item *item = &gathered->items[i];
		if (err && item->staged)
			fail(item, error_copy(err));
		item->staged = false;
	}
	error_destroy(err);
}

static struct error *write_index(const struct gathered *gathered)
{
	struct json_object *index = json_object_new_object();
	size_t size;

	json_add(index, "schema", json_text("lockdump.gather/1"));
	json_add(index, "began", json_double(gathered->began_s));
	json_add(index, "seconds", json_double(realtime_s() - gathered->began_s));
	json_add(index, "stalls", stall_list(gathered));
	json_add(index, "stalls_left_out", json_number(gathered->left_out));
	json_add(index, "items", item_list(gathered));
	const char *text = json_object_to_json_string_length(
		index, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	struct error *err = text ? incident_write(&gathered->folder, "gather.json", text, size)
				 : &error_no_memory;
	json_object_put(index);
	return err;
}

struct error *gathered_publish(struct gathered *gathered)
{
	publish_staged(gathered);
	return write_index(gathered);
}

void gathered_close(struct gathered *gathered)
{
	incident_close(&gathered->folder);
}
