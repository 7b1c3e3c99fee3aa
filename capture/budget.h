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
 * Counts in the store, arms or disarms the triggers by it, and says so if that has changed something. True: it is used
 * up, and to be looked at again in BUDGET_INTERVAL_NS. Not for the sentry: it reads files.
 */
bool budget_check(const struct watch *watch);

#define BUDGET_INTERVAL_NS (3600 * NS_PER_SEC)

#endif
