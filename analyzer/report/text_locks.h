/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks in the report's text. */
#ifndef LOCKDUMP_TEXT_LOCKS_H
#define LOCKDUMP_TEXT_LOCKS_H

#include "report/report.h"

/* Whether there is a lock to be shown. */
bool text_has_locks(const struct report *report);

/* Each contended lock with its holders, its waiters, and who keeps them all waiting in the end. */
void text_put_locks(const struct report *report, FILE *out);

/* A line that says what the task at @place of the report's tasks waits for, if that is known. */
void text_put_wait(const struct report *report, uint32_t place, FILE *out);

#endif
