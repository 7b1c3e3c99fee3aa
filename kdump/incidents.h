/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a store has, in short. Its files are not trusted, as it may be another machine's: what cannot be read, or is not what
 * it should be, makes an incident's summary poorer, and hides no other.
 */
#ifndef LOCKDUMP_INCIDENTS_H
#define LOCKDUMP_INCIDENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vector.h"
#include "bpf/record.h"
#include "kdump/store.h"

/* Files that say something of the incident that holds them, and are none of what was saved. */
#define INCIDENT_KEEP	   "keep" /* it is not to be removed */
#define INCIDENT_HARVESTED "harvested.json" /* what 'harvest' has done with it */

enum dump_state {
	DUMP_NONE,
	DUMP_PRESENT,
	DUMP_INCOMPLETE, /* *.incomplete, or another size than the manifest says */
	DUMP_MISSING, /* there was one */
	DUMP_UNKNOWN, /* the folder cannot be read */
};

/* Texts are NULL where nothing is known, and fit to be printed. */
struct incident_summary {
	char id[INCIDENT_ID_SIZE];
	int64_t onset_s; /* since 1970; the crash, where the onset is not known: as the ID says */
	char *kernel; /* its release */
	char *kind; /* the verdict's */
	char *title;
	char *signature;
	char *summary;
	const char *trigger_by; /* "sysrq", "kernel", "panic" or NULL */
	char *reason; /* why it was triggered */
	enum dump_state dump;
	uint64_t dump_size; /* bytes: of the vmcore, finished or not */
	bool encrypted; /* it is: INCIDENT_VMCORE_ENCRYPTED */
	uint64_t size; /* bytes that all of it takes on the disk */
	bool kept; /* by INCIDENT_KEEP */
	bool harvested; /* it has INCIDENT_HARVESTED */
	bool has_manifest; /* that can be read */
	bool unfinished; /* no manifest, a *.incomplete, or files that are gone or of other sizes than the manifest says */
	const char *unfinished_why; /* which of these; else NULL */
	bool complete; /* the manifest says so, and it is not unfinished */
	bool drill; /* the crash was a test's */
};

struct incidents {
	VECTOR(struct incident_summary) list; /* oldest first */
	size_t unreadable; /* how many of them could not be opened */
};

/* All incidents of @store. */
struct error *incidents_read(const char *store, struct incidents *ret);
void incidents_deinit(struct incidents *incidents);

/* One of them, which is open. */
struct error *incident_summarize(const struct incident *incident, struct incident_summary *ret);
void incident_summary_deinit(struct incident_summary *summary);

/* "present", "incomplete", "missing", "none"; NULL if it is not known. */
const char *dump_state_name(enum dump_state state);

/* The header of the incident's record.bin; false if there is none that can be read. */
bool incident_record_header(const struct incident *incident, struct record_header *ret);

#endif
