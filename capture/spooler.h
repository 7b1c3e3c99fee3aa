/* SPDX-License-Identifier: GPL-2.0-only */
/* The spooler: brings stalls past the threshold, and alarms, to the store and, if asked, to stdout. */
#ifndef LOCKDUMP_SPOOLER_H
#define LOCKDUMP_SPOOLER_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/alarms.h"
#include "capture/gatherer.h"
#include "capture/hits.h"
#include "capture/metrics.h"
#include "capture/shared.h"
#include "state/stall.h"
#include "kdump/store.h"

/* An incident lasts from the first stall past the threshold, or alarm, until all is well again. */
struct spooler {
	const struct watch *watch;
	struct incident incident;
	bool open; /* something is being attended to */
	bool stored; /* and has an incident in the store */
	bool noticed; /* and was told of where --to says */
	bool cpu_noticed; /* as was a CPU that is stuck */
	bool failed; /* the last incident is not whole in the store */
	uint64_t begun_ns;
	uint64_t next_spool_ns;
	uint64_t next_count_ns; /* of the triggers, while they are used up */
	struct gatherer gatherer; /* spooler_run() has it run */
	struct stall *stalls; /* per CPU: those of this incident; onset 0: none */
	struct alarms alarms;
	struct metrics metrics;
	struct hits hits;
	bool told_watching;
	uint32_t failures; /* of the trigger, that were told */
	struct record_slot *slot; /* room for a copy */
	char *copy; /* and for one of the whole record */
};

struct error *spooler_init(const struct watch *watch, struct spooler *ret);
void spooler_deinit(struct spooler *spooler);

/*
 * One look at the record: takes up what is new, tells of what ended, stores. True when the first incident
 * is closed and no other is wanted.
 */
bool spooler_attend(struct spooler *spooler);

/*
 * The process's whole life, from the fork on; returns its exit status: with --once, 1 if the incident could not
 * be stored. Its signals are blocked by the caller.
 */
int spooler_run(const struct watch *watch);

/* The signals that the spooler waits for. */
#define SPOOLER_WAKE SIGUSR1

#endif
