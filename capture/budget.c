// SPDX-License-Identifier: GPL-2.0-only
#include "capture/budget.h"

#include <stdio.h>

#include "capture/clock.h"
#include "kdump/triggers.h"

#define DAY_S 86400.0

struct error *budget_count(const char *store, const struct max_triggers *max, unsigned int *ret)
{
	double now = (double)clock_ns(CLOCK_REALTIME) / NS_PER_SEC;

	return triggers_count(store, now - max->days * DAY_S, ret);
}

bool budget_is_used_up(const struct watch_options *options, bool before)
{
	const struct max_triggers *max = &options->max_triggers;
	unsigned int triggers;

	/* A store that cannot be counted has been told of by whoever writes to it. */
	error_destroy(budget_count(options->store, max, &triggers));
	bool used_up = triggers >= max->count;

	if (used_up && !before)
		fprintf(stderr,
			"lockdump: --max-triggers %u/%u: %u incidents in %s are its work: it only "
			"records for now\n",
			max->count, max->days, triggers, options->store);
	if (!used_up && before)
		fprintf(stderr, "lockdump: --max-triggers %u/%u: armed again\n", max->count,
			max->days);
	return used_up;
}

void budget_check(const struct watch *watch)
{
	struct shared *shared = watch->shared;

	if (trigger_is_off(&watch->trigger))
		return;
	shared->used_up = budget_is_used_up(watch->options, shared->used_up);
	if (watch->trigger.by_kernel)
		kernel_trigger_set(&watch->recorder, !shared->used_up);
}
