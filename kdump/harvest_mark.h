/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * harvested.json: what harvest has done with an incident. It is written before each thing that is to be done once, and
 * after: who finds it begun tries once more, and then never again. So nothing is told twice but what a crash interrupted,
 * and a hook that crashes the machine does it twice, not at each boot.
 */
#ifndef LOCKDUMP_HARVEST_MARK_H
#define LOCKDUMP_HARVEST_MARK_H

#include <stdbool.h>

#include "kdump/store.h"

#define HARVEST_MOST_ATTEMPTS 2

struct harvest_mark {
	unsigned int attempts; /* how often it was begun */
	bool done;
	bool replacing; /* the report is being replaced, but the manifest does not know yet */
};

/* All 0 if there is none that can be read. */
void harvest_mark_read(const struct incident *incident, struct harvest_mark *ret);
struct error *harvest_mark_write(const struct incident *incident, const struct harvest_mark *mark);

#endif
