/* SPDX-License-Identifier: GPL-2.0-only */
/* The report, made again after the reboot: with debug information, or where the capture kernel came to none. */
#ifndef LOCKDUMP_REMAKING_H
#define LOCKDUMP_REMAKING_H

#include "kdump/incidents.h"
#include "symbols/debuginfod.h"

struct remaking {
	const char *store;
	const char *debug_dir; /* where a vmlinux may be, as debuginfo.h has it; or NULL */
	const struct debuginfod *debuginfod; /* or NULL */
};

/*
 * Replaces report.txt and report.json of @incident, and brings the manifest up to date, if there is a vmcore, and either no
 * report or debug information that it lacks. @made says whether it did.
 */
struct error *remaking_run(const struct remaking *remaking, const struct incident *incident,
			   bool *made);

/* Throws away what one that was interrupted has not put in its place. */
void remaking_clean_up(const struct incident *incident);

#endif
