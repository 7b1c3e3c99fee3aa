// SPDX-License-Identifier: GPL-2.0-only
#include "capture/trigger.h"

#include <stdio.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/preflight.h"

static struct error *open_kernel(const struct watch_options *options,
				 const struct recorder *recorder, const struct pins *pins,
				 struct trigger *trigger)
{
	bool controller_first = trigger->sysrq_fd >= 0;
	struct error *err =
		kernel_trigger_load(recorder, pins, options, controller_first, &trigger->kernel);

	trigger->by_kernel = !err;
	return err;
}

/* Either will do. */
static struct error *open_auto(const struct watch_options *options, const struct recorder *recorder,
			       const struct pins *pins, struct trigger *trigger)
{
	struct error *no_sysrq = preflight_sysrq(&trigger->sysrq_fd);
	struct error *no_kernel = open_kernel(options, recorder, pins, trigger);

	if (no_sysrq && no_kernel) {
		error_destroy(no_sysrq);
		return no_kernel;
	}
	if (no_kernel)
		fprintf(stderr, "lockdump: --trigger auto: sysrq only: %s\n", no_kernel->message);
	if (no_sysrq)
		fprintf(stderr, "lockdump: --trigger auto: kernel only: %s\n", no_sysrq->message);
	error_destroy(no_sysrq);
	error_destroy(no_kernel);
	return NULL;
}

struct error *trigger_open(const struct watch_options *options, const struct recorder *recorder,
			   const struct pins *pins, struct trigger *ret)
{
	struct error *err = NULL;

	*ret = (struct trigger){ .sysrq_fd = -1 };
	switch (options->trigger) {
	case RECORD_TRIGGER_OFF:
		return NULL;
	case RECORD_TRIGGER_SYSRQ:
		err = preflight_sysrq(&ret->sysrq_fd);
		break;
	case RECORD_TRIGGER_KERNEL:
		err = open_kernel(options, recorder, pins, ret);
		break;
	case RECORD_TRIGGER_AUTO:
		err = open_auto(options, recorder, pins, ret);
		break;
	}
	/* Last: what this kernel can never do is said before what the user has to do. */
	if (!err)
		err = preflight_crash_kernel();
	if (!err)
		return NULL;
	if (ret->sysrq_fd >= 0)
		close(ret->sysrq_fd);
	kernel_trigger_destroy(ret->kernel);
	return error_prefix(err, "--trigger %s", watch_options_trigger(options->trigger));
}

struct error *trigger_attach(struct trigger *trigger, const struct watch_options *options,
			     const struct recorder *recorder, const struct pins *pins)
{
	struct error *err = NULL;

	if (trigger->kernel)
		err = kernel_trigger_attach(trigger->kernel, pins);
	else if (!trigger->by_kernel)
		kernel_trigger_detach(recorder, pins);
	kernel_trigger_destroy(trigger->kernel);
	trigger->kernel = NULL;
	if (!err && !trigger_is_off(trigger))
		external_set(options->trigger_on.requests, "", &trigger->external);
	return error_prefix(err, "--trigger");
}

void trigger_close(const struct trigger *trigger, const struct recorder *recorder)
{
	kernel_trigger_set(recorder, false);
	external_restore(&trigger->external);
}

bool trigger_is_off(const struct trigger *trigger)
{
	return trigger->sysrq_fd < 0 && !trigger->by_kernel;
}

void trigger_describe(const struct trigger *trigger, const struct watch_options *options, char *ret,
		      size_t size)
{
	const char *by = trigger->by_kernel ? "kernel" : "sysrq";

	if (trigger_is_off(trigger)) {
		snprintf(ret, size, "off");
		return;
	}
	if (trigger->by_kernel && trigger->sysrq_fd >= 0)
		by = "sysrq or kernel";
	snprintf(ret, size, "%s after %g s", by, (double)options->trigger_after_ns / NS_PER_SEC);
}
