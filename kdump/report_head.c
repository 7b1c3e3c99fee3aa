// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/report_head.h"

#include "base/cleanup.h"

/* All of it comes before the first long member. */
bool report_head_read(int dirfd, struct report_head *ret)
{
	static const char *const keys[] = { "source", "title",	 "signature",
					    "kernel", "verdict", NULL };
	_cleanup_(json_putp) struct json_object *json = json_file_head(dirfd, REPORT_JSON, keys);
	struct json_object *verdict = json_member(json, "verdict");

	*ret = (struct report_head){ 0 };
	if (!json)
		return false;
	json_copy_text(json, "title", ret->title, sizeof(ret->title));
	json_copy_text(json, "signature", ret->signature, sizeof(ret->signature));
	json_copy_text(verdict, "kind", ret->kind, sizeof(ret->kind));
	json_copy_text(verdict, "summary", ret->summary, sizeof(ret->summary));
	json_copy_text(json_member(json, "kernel"), "release", ret->kernel, sizeof(ret->kernel));
	ret->has_vmlinux = json_member(json_member(json, "source"), "vmlinux");
	return true;
}

struct json_object *report_head_to_json(const struct report_head *head)
{
	if (!*head->title && !*head->signature && !*head->kind && !*head->summary)
		return NULL;
	struct json_object *object = json_object_new_object();
	json_add(object, "title", json_text_or_null(head->title));
	json_add(object, "signature", json_text_or_null(head->signature));
	json_add(object, "kind", json_text_or_null(head->kind));
	json_add(object, "summary", json_text_or_null(head->summary));
	return object;
}

void report_head_from_json(struct json_object *json, struct report_head *ret)
{
	*ret = (struct report_head){ 0 };
	json_copy_text(json, "title", ret->title, sizeof(ret->title));
	json_copy_text(json, "signature", ret->signature, sizeof(ret->signature));
	json_copy_text(json, "kind", ret->kind, sizeof(ret->kind));
	json_copy_text(json, "summary", ret->summary, sizeof(ret->summary));
}
