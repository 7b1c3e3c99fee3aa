/* SPDX-License-Identifier: GPL-2.0-only */
/* One capture: what the steps share. */
#ifndef LOCKDUMP_CAPTURE_H
#define LOCKDUMP_CAPTURE_H

#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "kdump/cmdline.h"
#include "kdump/config.h"
#include "kdump/manifest.h"
#include "kdump/sieve.h"
#include "kdump/store.h"
#include "report/content.h"

#define ROOM_KEPT \
	(16 << 20) /* of the store: for the report, the manifest, and the rig after the boot */
#define ROOM_SCARCE \
	(ROOM_KEPT + ROOM_KEPT / 2) /* after a dump that failed: it was for want of room */

/*
 * What steps find out. They run in children that may crash half-way through, so it is
 * in shared memory, and nothing in it is a pointer. Zero is 'unknown' everywhere.
 */
struct findings {
	double crash_s; /* since 1970 */
	char boot_id[BOOT_ID_SIZE]; /* the crashed kernel's, as its memory has it */
	bool has_record; /* there is a record in /proc/vmcore */
	bool record_saved; /* and it is in the incident */
	bool no_record; /* there is none: no recorder was loaded */
	char incident[INCIDENT_ID_SIZE]; /* its folder, made or opened */
	double onset_s;
	double trigger_s;
	unsigned int fired_by; /* enum record_fired_by */
	int fired_cpu;
	char fired_reason[128];
	bool drill; /* 'lockdump test --crash' did it */
	bool report_begun; /* there were files to write it to */
	bool has_report;
	struct report_content content; /* of the report on /proc/vmcore */

	/* In the distribution's capture environment, the host. */
	bool host_tried; /* it was asked to save the vmcore */
	bool host_saved; /* and says that it has */
	int host_status; /* if it has not: the exit status of what it tried */
	char host_dump[256]; /* where that is */

	char unproven[SIEVE_WHY]; /* why an encrypted vmcore cannot be read back; empty: it can */
};

struct capture {
	struct config config;
	struct findings *found;
	struct place place; /* where it is */
	char store[PATH_MAX]; /* here */
	struct incident incident;
	struct manifest manifest;
	unsigned long lowest_kb; /* the least MemAvailable seen */
	off_t room; /* bytes that the vmcore may take */
	const char *symbols; /* where the kernel's are, if its dumps lack them */

	/* In the distribution's capture environment: */
	char host_dir[PATH_MAX]; /* where the host's dumps are, here; empty: elsewhere */
	time_t host_since; /* the host's dump is not older, by the clock of the store's file system */

	/* If the vmcore is encrypted: */
	struct page_log *log; /* what the report was made of; shared; else NULL */
	int kept; /* of the vmcore what it takes to make it again: a file in memory; else -1 */
	double next_note_s; /* when the vmcore's size is told next */
};

/* The crashed kernel's boot ID: its own word for it, else arm's, which may have been said in an earlier boot; "": not known. */
const char *capture_boot_id(const struct capture *capture);

/* The vmcore's in its incident. */
const char *capture_dump_name(const struct capture *capture);

#endif
