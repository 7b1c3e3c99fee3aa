// SPDX-License-Identifier: GPL-2.0-only
#include "capture/budget.h"

#include <stdio.h>

#include "capture/clock.h"
#include "capture/header.h"
#include "kdump/lost_crashes.h"
#include "kdump/triggers.h"

#define DAY_S 86400.0

static double realtime_s(void)
{
	return (double)clock_ns(CLOCK_REALTIME) / NS_PER_SEC;
}

struct error *budget_count(const char *root, const char *store, const struct max_triggers *max,
			   unsigned int *ret)
{
	double since_s = realtime_s() - max->days * DAY_S;
	struct error *err = triggers_count(store, since_s, ret);

	*ret += lost_crashes_count(root, since_s);
	return err;
}

static void warn_uncounted(struct error *err)
{
	if (err)
		error_report(error_prefix(
			err, "--max-triggers: a crash that saves nothing is not counted"));
}

static void settle(const struct watch_options *options, const char *boot_id)
{
	bool lost;

	warn_uncounted(lost_crashes_settle(options->root, options->store, boot_id, realtime_s(), &lost));
	if (lost)
		fprintf(stderr,
			"lockdump: the machine went down while a trigger was armed, and nothing in "
			"%s tells why: for --max-triggers that is a crash\n",
			options->store);
}

static bool is_used_up(const struct watch_options *options, bool before)
{
	const struct max_triggers *max = &options->max_triggers;
	unsigned int triggers;

	/* A store that cannot be counted has been told of by whoever writes to it. */
	error_destroy(budget_count(options->root, options->store, max, &triggers));
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

bool budget_is_used_up(const struct watch_options *options, bool before)
{
	char boot_id[40];
	struct error *err = header_boot_id(boot_id, sizeof(boot_id));

	if (err) {
		warn_uncounted(err);
		return is_used_up(options, before);
	}
	settle(options, boot_id);
	bool used_up = is_used_up(options, before);
	warn_uncounted(lost_crashes_arm(options->root, used_up ? NULL : boot_id));
	return used_up;
}

void budget_end(const struct watch_options *options)
{
	if (options->trigger != RECORD_TRIGGER_OFF)
		error_destroy(lost_crashes_arm(options->root, NULL));
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
