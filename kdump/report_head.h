/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a report says in a few words: title, kind and the like. report.json of a machine with 10,000 tasks has tens of
 * megabytes, so the manifest says this once more.
 */
#ifndef LOCKDUMP_REPORT_HEAD_H
#define LOCKDUMP_REPORT_HEAD_H

#include <stdbool.h>

#include "kdump/json_file.h"

#define REPORT_JSON "report.json"
#define REPORT_TEXT "report.txt"

/* Empty: not known. Fit to be printed. */
struct report_head {
	char title[256];
	char signature[96];
	char kind[32];
	char summary[512];
	char kernel[72]; /* its release; not in a manifest's, which has it elsewhere */
	bool has_vmlinux; /* debug information was used; the same */
};

/* Out of report.json in the folder @dirfd; false if there is none to read. */
bool report_head_read(int dirfd, struct report_head *ret);

/* The manifest's member "report": null if @head is empty. */
struct json_object *report_head_to_json(const struct report_head *head);
void report_head_from_json(struct json_object *json, struct report_head *ret);

#endif
