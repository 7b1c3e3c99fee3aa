/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the spooler tells of what it sees: on stderr and, with --print, on stdout; to the journal, to the service manager,
 * and in the metrics.
 */
#ifndef LOCKDUMP_TELLING_H
#define LOCKDUMP_TELLING_H

#include "capture/spooler.h"

/* Once the sentry has settled down: nothing before, and nothing a second time. */
void tell_watching(struct spooler *spooler);

/* If the trigger was pulled, and nothing happened, and that was not told yet. */
void tell_failure(struct spooler *spooler);

void tell_alarm(struct spooler *spooler, const struct cause *cause);
void tell_alarm_end(const struct spooler *spooler, const struct cause *cause);

void tell_stall(struct spooler *spooler, const struct stall *stall);

/* Prints what --print has of it, if that is asked for. On a busy machine that may take seconds. */
void tell_facts(const struct spooler *spooler, const struct stall *stall);

void tell_end(const struct spooler *spooler, const struct stall *stall);

/* Says to the service manager that nothing is stalled. */
void tell_status(const struct spooler *spooler);

/* The machine is about to be crashed: the record has the reason. */
void tell_crash(const struct spooler *spooler);

/* Takes the length of a stall, which may go on, into the metrics. */
void tell_length(struct spooler *spooler, const struct stall *stall);

/* Writes the metrics, if they are asked for. */
void tell_metrics(struct spooler *spooler, bool watching);

#endif
