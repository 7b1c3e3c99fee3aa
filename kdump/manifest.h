/* SPDX-License-Identifier: GPL-2.0-only */
/* manifest.json, the last file of an incident: "lockdump.manifest/1". */
#ifndef LOCKDUMP_MANIFEST_H
#define LOCKDUMP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kdump/digest.h"
#include "kdump/report_head.h"
#include "kdump/rig_id.h"
#include "kdump/store.h"

#define MANIFEST_NAME	   "manifest.json"
#define MANIFEST_MAX_STEPS 16
#define MANIFEST_MAX_TRIES 4

struct manifest_step {
	char name[24];
	double seconds;
	const char *
		outcome; /* "done", "failed", "timeout", "skipped"; "unknown" of others that were read */
	char why[512]; /* empty: null */
};

/* A run of makedumpfile. */
struct manifest_try {
	unsigned int level;
	const char *outcome; /* as a step's; or "not proven": it was saved, but lacks something */
};

struct manifest_file {
	char *name; /* FILE or FOLDER/FILE */
	int64_t size;
	char sha256[SHA256_HEX_SIZE];
};

struct manifest_files {
	struct manifest_file *items;
	size_t count;
};

struct manifest {
	char id[INCIDENT_ID_SIZE];
	char kernel[72];
	char rig[RIG_ID_SIZE]; /* whose it is, where several share a store */
	struct report_head report; /* of report.json, which may be large */

	/* Seconds since 1970; 0: unknown. */
	double onset_s;
	double trigger_s;
	double capture_start_s;
	double report_done_s;
	double vmcore_done_s;

	const char *trigger_by; /* "sysrq", "kernel", "panic" or NULL */
	char trigger_reason[128];
	int trigger_cpu; /* -1: unknown */
	bool drill; /* it was a test: nothing had hung */

	struct manifest_try tries[MANIFEST_MAX_TRIES];
	size_t nr_tries;
	unsigned int dump_level; /* of the vmcore that there is, else of the last try */
	char compression[16];
	bool encrypted; /* it is INCIDENT_VMCORE_ENCRYPTED */
	char makedumpfile[32]; /* its version */
	bool proven; /* read back, it gave what /proc/vmcore had given */

	/*
	 * What crashkernel= set aside, and what of it was not to be had at the worst moment:
	 * reserved less the lowest MemAvailable seen. So it counts the capture kernel and its initramfs too.
	 */
	unsigned long reserved_kb;
	unsigned long peak_kb;

	struct manifest_step steps[MANIFEST_MAX_STEPS];
	size_t nr_steps;
	bool complete; /* all that was planned is there */
};

/* Notes a step. @why may be NULL. */
void manifest_add_step(struct manifest *manifest, const char *name, double seconds,
		       const char *outcome, const char *why);

/* Says of the last step what is to be known beside its outcome, before why it has it. */
void manifest_explain_step(struct manifest *manifest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Notes a run of makedumpfile; its outcome is not known yet. */
struct manifest_try *manifest_add_try(struct manifest *manifest, unsigned int level);

/* The JSON of it, and of its parts, for who changes one that is there. */
struct json_object *manifest_to_json(const struct manifest *manifest,
				     const struct manifest_files *files);
struct json_object *manifest_step_to_json(const struct manifest_step *step);
struct json_object *manifest_file_to_json(const struct manifest_file *file);

/* Writes it as the incident's manifest, in the place of the one that is there. */
struct error *manifest_store(const struct incident *incident, struct json_object *json);

/* The same of @manifest, with all files that are whole. */
struct error *manifest_write(const struct incident *incident, const struct manifest *manifest);

/* Lists what is whole in @incident, and in its folders (FOLDER/FILE), sorted by name, with checksums. */
struct error *manifest_list(const struct incident *incident, struct manifest_files *ret);
void manifest_files_deinit(struct manifest_files *files);

#endif
