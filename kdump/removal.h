/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking incidents away. A folder first gets a hidden name that is no incident's, and that is brought to the disk: so what
 * is removed half is never taken for a whole one, and the next removal goes on with it.
 */
#ifndef LOCKDUMP_REMOVAL_H
#define LOCKDUMP_REMOVAL_H

#include "kdump/incidents.h"

/* Removes it. An error if it is kept, or if somebody is writing it. */
struct error *removal_remove(const char *store, const struct incident_summary *one);

/* Removes what an interrupted removal has left. */
void removal_finish(const char *store);

#endif
