/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether somebody is writing an incident: a watch or a harvest here, or the capture kernel of another machine. */
#ifndef LOCKDUMP_WRITERS_H
#define LOCKDUMP_WRITERS_H

#include "kdump/incidents.h"

/*
 * An error says who is writing @incident; without one nobody does, and as long as it is open nobody else in this machine
 * gets it.
 */
struct error *writers_check(const struct incident *incident, const struct incident_summary *one);

/* Whether the kernel that runs now is the one that the incident is of. */
bool writers_this_boot(const char *id);

#endif
