/* SPDX-License-Identifier: GPL-2.0-only */
/* One capture: what the steps share. */
#ifndef LOCKDUMP_CAPTURE_H
#define LOCKDUMP_CAPTURE_H

#include <limits.h>
#include <stdbool.h>

#include "kdump/config.h"
#include "kdump/manifest.h"
#include "kdump/store.h"

/*
 * What steps find out. They run in children that may crash half-way through, so it is
 * in shared memory, and nothing in it is a pointer. Zero is 'unknown' everywhere.
 */
struct findings {
	double crash_s; /* since 1970 */
	bool has_record; /* there is a record in /proc/vmcore */
	bool no_record; /* there is none: no recorder was loaded */
	char incident[INCIDENT_ID_SIZE]; /* its folder, made or opened */
	double onset_s;
	double trigger_s;
	unsigned int fired_by; /* enum record_fired_by */
	int fired_cpu;
	char fired_reason[128];
	bool drill; /* 'lockdump test --crash' did it */
	bool has_report;
	size_t tasks; /* of the report on /proc/vmcore */
	size_t tasks_with_stack;
};

struct capture {
	struct config config;
	struct findings *found;
	char store[PATH_MAX]; /* here */
	struct incident incident;
	struct manifest manifest;
	unsigned long lowest_kb; /* the least MemAvailable seen */
	off_t room; /* bytes that the vmcore may take */
	double next_note_s; /* when the vmcore's size is told next */
};

#endif
