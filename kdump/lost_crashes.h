/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Crashes of which the store has nothing, as its disk was gone or full: a rig that hangs whenever it is up must not be
 * crashed for ever by those either. While a trigger is armed, the state folder names the boot (boots.json,
 * "lockdump.boots/1"); who ends as he should takes that back. A name of an earlier boot that is still there is of one that
 * ended otherwise. If the store does not tell by what, it counts: nobody can tell a power cut from a crash that saved nothing.
 */
#ifndef LOCKDUMP_LOST_CRASHES_H
#define LOCKDUMP_LOST_CRASHES_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Looks how the last boot with an armed trigger ended. @root: "" but in tests, of the state folder alone; @now_s: since
 * 1970. *@ret_lost: it counts from now on. To be called before lost_crashes_arm().
 */
struct error *lost_crashes_settle(const char *root, const char *store, const char *boot_id,
				  double now_s, bool *ret_lost);

/* A trigger is armed in the boot @boot_id from now on; NULL: none is. */
struct error *lost_crashes_arm(const char *root, const char *boot_id);

/* How many were found at @since_s (seconds since 1970) or later. */
unsigned int lost_crashes_count(const char *root, double since_s);

#endif
