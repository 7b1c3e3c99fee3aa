/* SPDX-License-Identifier: GPL-2.0-only */
/* What crashes the machine: the controller's write to /proc/sysrq-trigger, the kernel's own program, or both. */
#ifndef LOCKDUMP_TRIGGER_H
#define LOCKDUMP_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "capture/external.h"
#include "capture/kernel_trigger.h"
#include "capture/options.h"
#include "capture/pin.h"
#include "capture/recorder.h"

struct trigger {
	int sysrq_fd; /* -1: not by sysrq */
	bool by_kernel;
	struct trigger_bpf *kernel; /* until it is attached; NULL: it is */
	struct external external;
};

/*
 * Gets what --trigger names ready. 'auto' takes what there is, and says on stderr what there is not. An error: it cannot
 * work here.
 */
struct error *trigger_open(const struct watch_options *options, const struct recorder *recorder,
			   const struct pins *pins, struct trigger *ret);

/*
 * Attaches the kernel's, if it is wanted, and takes away what another controller may have left; has the kernel panic on
 * request from outside, if that is wanted.
 */
struct error *trigger_attach(struct trigger *trigger, const struct watch_options *options,
			     const struct recorder *recorder, const struct pins *pins);

/* A clean end disarms it, and puts the kernel's settings back. What is pinned is the caller's. */
void trigger_close(const struct trigger *trigger, const struct recorder *recorder);

bool trigger_is_off(const struct trigger *trigger);

/* "off", "sysrq after 12 s", ... */
void trigger_describe(const struct trigger *trigger, const struct watch_options *options, char *ret,
		      size_t size);

#endif
