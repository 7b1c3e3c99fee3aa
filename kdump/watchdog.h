/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardware watchdogs. One that the crashed kernel has left running resets the machine in the middle of the dump, unless
 * somebody feeds it; and one that is fed resets the machine if the capture kernel hangs, too.
 */
#ifndef LOCKDUMP_WATCHDOG_H
#define LOCKDUMP_WATCHDOG_H

#include "base/error.h"
#include "kdump/strings.h"

/*
 * Those of this machine, under @root ("" but in tests): to @drivers what drives them, as device_drivers_at() has it, as one that
 * the firmware has started is fed, or stopped, by its driver alone; to @identities what those call themselves that somebody has
 * open. One that has no device ends with its kernel and is left out.
 */
struct error *watchdogs_find(const char *root, bool other_kernel, struct strings *drivers,
			     struct strings *identities);

#define MAX_WATCHDOGS 4

struct watchdogs {
	const struct strings *identities; /* not owned */
	double next_s;
	struct watchdog {
		char name[16]; /* "watchdog0" */
		int fd; /* -1: it cannot be had */
	} list[MAX_WATCHDOGS];
	size_t count;
};

/* Those that have one of @identities are fed, and any that runs. */
void watchdogs_init(const struct strings *identities, struct watchdogs *ret);

/* To be called several times a second: feeds them, once a second, and takes up those that have appeared. */
void watchdogs_feed(struct watchdogs *watchdogs);

#endif
