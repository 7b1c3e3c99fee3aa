/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks in the report's JSON. */
#ifndef LOCKDUMP_JSON_LOCKS_H
#define LOCKDUMP_JSON_LOCKS_H

#include "base/json.h"
#include "report/report.h"

/* An element of "locks". */
struct json_object *json_lock(const struct report *report, const struct lock *lock);

/* "waits_for" of the task at @place of the report's tasks, and "verdict.lock": null if @lock is NULL. */
struct json_object *json_waits_for(const struct report *report, const struct lock *lock);

/* "verdict.cycle". */
struct json_object *json_cycle(const struct report *report);

#endif
