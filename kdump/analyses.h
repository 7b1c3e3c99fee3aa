/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a capture reads out of dumps. Each analysis runs in a sandbox (base/sandbox.h): the step that wants it has opened
 * the files that it writes to, and believes of its answers what can be believed of a hostile dump's.
 */
#ifndef LOCKDUMP_ANALYSES_H
#define LOCKDUMP_ANALYSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "kdump/cmdline.h"
#include "report/content.h"
#include "symbols/debuginfod.h"

#define VMCORE "/proc/vmcore"

/* Zero is 'unknown' everywhere. */
struct answers {
	double crash_s; /* since 1970, and a year that there can be */
	char boot_id[BOOT_ID_SIZE]; /* the crashed kernel's, and a UUID; of analysis_record() */
	bool no_record; /* no recorder was loaded */
	bool has_report; /* it was made; whether it could be written is another question */
	bool text_done; /* and it was, as text */
	bool has_vmlinux; /* with debug information of the kernel */
	struct report_content content; /* of the report */
};

struct analysis {
	const char *vmcore; /* to be read */
	const char *record; /* a record.bin, or NULL */
	const char *name; /* what the report calls the vmcore */
	const char *
		symbols; /* a kallsyms that was kept; NULL: that of the capture environment, if there is one */
	const char *debug_dir; /* where a vmlinux may be, as debuginfo.h has it; or NULL */
	const struct debuginfod *debuginfod; /* who is asked for one; or NULL */
	size_t most_s; /* of CPU time; 0: as much as it takes */
	FILE *out; /* takes what is found */
	FILE *json; /* takes the report in this form too; or NULL */
	struct page_log *log; /* takes which pages were read, in shared memory; or NULL */
	struct answers answers; /* valid after an error, too */
};

/* Writes the record as record.bin has it. */
struct error *analysis_record(struct analysis *analysis);

/* Writes the kernel's log. */
struct error *analysis_dmesg(struct analysis *analysis);

/* Writes the report, with the record that analysis->record names if the vmcore has none. */
struct error *analysis_report(struct analysis *analysis);

/*
 * Makes the report, but writes nothing: for its answers. The vmcore must have the same record as analysis->record, if
 * that is not NULL.
 */
struct error *analysis_proof(struct analysis *analysis);

#endif
