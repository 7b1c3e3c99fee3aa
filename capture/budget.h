/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --max-triggers: how often the machine may be crashed in so many days. A rig that hangs whenever it is up must not be
 * crashed for ever: once that is used up, lockdump only records, until the first of them is so many days ago.
 */
#ifndef LOCKDUMP_BUDGET_H
#define LOCKDUMP_BUDGET_H

#include <stdbool.h>

#include "capture/shared.h"

/*
 * The triggers in @store that count for it now, and the crashes of which no store has anything (kdump/lost_crashes.h), by the
 * state folder under @root, "" but in tests. These are in *@ret after an error, too.
 */
struct error *budget_count(const char *root, const char *store, const struct max_triggers *max,
			   unsigned int *ret);

/*
 * Counts, notes in the state folder whether a trigger is armed, and says so if it is not as @before. While it is used up, it is to be looked at again in
 * BUDGET_INTERVAL_NS. Not for the sentry: it reads files.
 */
bool budget_is_used_up(const struct watch_options *options, bool before);

/* The same, and arms or disarms the triggers by it. */
void budget_check(const struct watch *watch);

/* Nothing is armed any more: whatever ends this boot now is no trigger's doing. */
void budget_end(const struct watch_options *options);

#define BUDGET_INTERVAL_NS (3600 * NS_PER_SEC)

#endif
