/* SPDX-License-Identifier: GPL-2.0-only */
/* The scripts that are run for each incident: /etc/lockdump/harvest.d/. */
#ifndef LOCKDUMP_KDUMP_HOOKS_H
#define LOCKDUMP_KDUMP_HOOKS_H

#include "kdump/incidents.h"
#include "kdump/strings.h"

struct hooks {
	const char *folder; /* the scripts' */
	const char *store;
	const struct incident_summary *one;
	double timeout_s; /* each one's */
};

/*
 * Runs them in the order of their names: executable files that nobody but their owner, who is root or who runs them, can
 * change; named as run-parts(8) has it. Each gets the incident's folder as its argument and LOCKDUMP_* in its environment,
 * and is a process group of its own. What they say comes to stderr. One that fails is told in @failed, and does not stop
 * the rest.
 */
void hooks_run(const struct hooks *hooks, struct strings *failed);

#endif
