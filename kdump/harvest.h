/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done in the store after a reboot; cmd_harvest() is the verb. */
#ifndef LOCKDUMP_HARVEST_H
#define LOCKDUMP_HARVEST_H

#include "kdump/announce.h"
#include "kdump/remaking.h"

struct harvest {
	struct announcing announcing;
	struct remaking remaking;
	const char *rig; /* this machine: rig_id.h */
	/* A file that others cannot open. Where it cannot be made the store itself is locked. */
	const char *lock;
	bool is_shared; /* others may have their incidents there, too; else all are this machine's */
};

/*
 * Sees to each incident of this machine that is not harvested yet, then to what the store is to keep. An error says why the
 * whole was not done; what went wrong with one incident is told on stderr, and @all says that nothing did.
 */
struct error *harvest_store(const struct harvest *harvest, bool *all);

#endif
