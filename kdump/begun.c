// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/begun.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/json_file.h"
#include "kdump/manifest_read.h"

#define SCHEMA "lockdump.begun/1"
#define NAME   "begun.json"

static struct error *open_folder(const char *root, struct incident *ret)
{
	char path[PATH_MAX];

	*ret = (struct incident){ .id = "begun" };
	snprintf(path, sizeof(path), "%s" BEGUN_FOLDER, root);
	ret->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->dirfd >= 0)
		return NULL;
	return errno == ENOENT ? error_create(ERROR_NOT_FOUND, "%s: not there", path)
			       : error_errno("%s", path);
}

bool begun_is_there(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" BEGUN_FOLDER "/" NAME, root);
	return !access(path, F_OK);
}

static const struct {
	const char *name;
	size_t offset; /* of a size_t */
} content_members[] = {
#define MEMBER(name)                                         \
	{                                                    \
#name, offsetof(struct report_content, name) \
	}
	MEMBER(tasks),	   MEMBER(tasks_with_stack), MEMBER(frames),	   MEMBER(modules),
	MEMBER(log_lines), MEMBER(stacks_hash),	     MEMBER(modules_hash), MEMBER(log_hash),
#undef MEMBER
};

#define NR_CONTENT_MEMBERS (sizeof(content_members) / sizeof(content_members[0]))

_Static_assert(sizeof(struct report_content) == NR_CONTENT_MEMBERS * sizeof(size_t),
	       "all of it is named");

static struct json_object *content_to_json(const struct report_content *content)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < NR_CONTENT_MEMBERS; i++)
		json_add(object, content_members[i].name,
			 json_number(*(const size_t *)((const char *)content +
						       content_members[i].offset)));
	return object;
}

static void take_content(struct json_object *object, struct report_content *ret)
{
	for (size_t i = 0; i < NR_CONTENT_MEMBERS; i++)
		*(size_t *)((char *)ret + content_members[i].offset) =
			json_get_number(object, content_members[i].name);
}

static struct json_object *to_json(const struct capture *capture)
{
	static const struct manifest_files no_files;
	struct json_object *object = json_object_new_object();
	const struct findings *found = capture->found;
	bool has_incident = capture->incident.dirfd >= 0;

	json_add(object, "schema", json_text(SCHEMA));
	json_add(object, "incident", json_text(has_incident ? capture->incident.id : NULL));
	json_add(object, "store", json_text(capture->store));
	json_add(object, "host_dir", json_text(capture->host_dir));
	json_add(object, "host_since", json_object_new_int64(capture->host_since));
	json_add(object, "lowest_kb", json_object_new_int64(capture->lowest_kb));
	json_add(object, "record_saved", json_object_new_boolean(found->record_saved));
	json_add(object, "has_report", json_object_new_boolean(found->has_report));
	json_add(object, "content", content_to_json(&found->content));
	json_add(object, "manifest", manifest_to_json(&capture->manifest, &no_files));
	return object;
}

struct error *begun_write(const char *root, const struct capture *capture)
{
	struct json_object *json = to_json(capture);
	struct incident folder = { .dirfd = -1 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" BEGUN_FOLDER, root);
	mkdir(path, 0700);
	const char *text = json_object_to_json_string(json);
	struct error *err = text ? open_folder(root, &folder) : &error_no_memory;
	if (!err) {
		err = incident_write(&folder, NAME, text, strlen(text));
		incident_close(&folder);
	}
	json_object_put(json);
	return err;
}

struct error *begun_read(const char *root, struct capture *ret)
{
	struct findings *found = ret->found;
	struct incident folder;
	char schema[32];
	struct error *err = open_folder(root, &folder);

	if (err)
		return err;
	_cleanup_(json_putp) struct json_object *json = json_file_read(folder.dirfd, NAME);
	err = json		? NULL
	      : errno == ENOENT ? error_create(ERROR_NOT_FOUND, NAME ": not there")
				: error_errno(NAME);
	incident_close(&folder);
	if (err)
		return err;
	json_copy_text(json, "schema", schema, sizeof(schema));
	if (strcmp(schema, SCHEMA))
		return error_create(ERROR_CORRUPT, NAME ": not " SCHEMA);
	json_copy_text(json, "incident", ret->incident.id, sizeof(ret->incident.id));
	json_copy_text(json, "store", ret->store, sizeof(ret->store));
	json_copy_text(json, "host_dir", ret->host_dir, sizeof(ret->host_dir));
	ret->host_since = json_get_number(json, "host_since");
	ret->lowest_kb = json_get_number(json, "lowest_kb");
	found->record_saved = json_get_bool(json, "record_saved");
	found->has_report = json_get_bool(json, "has_report");
	take_content(json_member(json, "content"), &found->content);
	return manifest_parse(json_member(json, "manifest"), &ret->manifest, NULL);
}
