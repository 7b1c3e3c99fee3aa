/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong besides stalls, as user space attends to it: CPUs that take no interrupts, and the record's
 * conditions, past their thresholds. What ended before anybody could look is in the record's events.
 */
#ifndef LOCKDUMP_ALARMS_H
#define LOCKDUMP_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/cause.h"
#include "capture/shared.h"

#define ALARMS_MAX 32 /* more at a time are in the record alone */

enum alarm_state {
	ALARM_NEW,
	ALARM_ON,
	ALARM_OVER, /* but nobody was told yet */
	ALARM_OLD,
};

struct alarm {
	struct cause cause;
	enum alarm_state state;
	bool over; /* it was when it was found */
};

struct alarms {
	struct alarm list[ALARMS_MAX];
	size_t count;
};

/* Whether the record has anything that alarms_look() would take up. It is quick, and changes nothing. */
bool alarms_are_due(const struct watch *watch, uint64_t now);

/* Takes up what is new, and what goes on. True if any is ALARM_NEW. */
bool alarms_look(struct alarms *alarms, const struct watch *watch, uint64_t now);

/* ALARM_NEW becomes ALARM_ON or, as what nobody sees any more, ALARM_OVER. True while any is on. */
bool alarms_settle(struct alarms *alarms, uint64_t now);

#endif
