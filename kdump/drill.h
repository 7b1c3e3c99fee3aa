/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A drill: 'lockdump test --crash' notes that it crashes the machine (drill.json, "lockdump.drill/1", in the state
 * folder), and after the reboot the incident that came of it tells how it went.
 */
#ifndef LOCKDUMP_DRILL_H
#define LOCKDUMP_DRILL_H

#include <limits.h>

#include "base/json.h"
#include "kdump/manifest.h"
#include "kdump/store.h"

#define DRILL_NOTE "drill.json"

enum drill_outcome {
	DRILL_NEVER, /* there was none */
	DRILL_UNKNOWN, /* it cannot be told now */
	DRILL_FAILED,
	DRILL_PASSED,
};

struct drill_step {
	char name[24];
	char outcome[16];
	double seconds;
};

struct drill {
	double time_s; /* since 1970 */
	char boot_id[40]; /* of the boot that it ended */
	char release[72];
	char store[PATH_MAX];
	char store_uuid[64]; /* of its file system; "": not known */

	enum drill_outcome outcome;
	char why[512]; /* it did not pass */
	char incident[INCIDENT_ID_SIZE]; /* "": none came */
	double report_s; /* from the capture kernel's first process to the report; 0: not known */
	double total_s; /* from the crash to the vmcore; 0: not known */
	unsigned long reserved_kb; /* 0: not known */
	unsigned long peak_kb;
	struct drill_step steps[MANIFEST_MAX_STEPS];
	size_t nr_steps;
};

/* Notes a drill that is about to begin, synced. The time is now. */
struct error *drill_begin(const char *root, struct drill *drill);

/* Takes the note back: the machine lives on. */
void drill_forget(const char *root);

/*
 * How the last drill went; @boot_id is this boot's. What passed once is noted, as incidents do not stay for ever. An error
 * if the note cannot be read.
 */
struct error *drill_look(const char *root, const char *boot_id, struct drill *ret);

/* "never", "unknown", "failed", "passed" */
const char *drill_outcome_name(enum drill_outcome outcome);

struct json_object *drill_to_json(const struct drill *drill);

#endif
