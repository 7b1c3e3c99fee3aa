/* SPDX-License-Identifier: GPL-2.0-only */
/* Incidents whose writer did not come to an end, or that lost something since: their manifest is made to say so. */
#ifndef LOCKDUMP_MENDING_H
#define LOCKDUMP_MENDING_H

#include "kdump/incidents.h"

/*
 * Replaces the manifest by one that says that @incident is not complete, and what of it there is; where there is none it is
 * made of what was left. The files themselves stay as they are, and have the names that they have.
 */
struct error *mending_mend(const struct incident *incident, const struct incident_summary *one);

/*
 * After the report was replaced: the manifest gets its files' sizes and checksums, and its head. @why is told as a step that
 * took @seconds.
 */
struct error *mending_take_report(const struct incident *incident, const char *why, double seconds);

#endif
