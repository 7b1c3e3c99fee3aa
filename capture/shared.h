/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two processes of a watch have in common. The sentry pulls the trigger and does as little else as
 * can be; the spooler writes to disk, and may block. Both see the flight record; a page of shared memory, made
 * before the fork, and SIGUSR1 carry the sentry's requests.
 */
#ifndef LOCKDUMP_SHARED_H
#define LOCKDUMP_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kdump/events.h"
#include "capture/notify.h"
#include "capture/options.h"
#include "capture/pin.h"
#include "capture/probes.h"
#include "capture/recorder.h"
#include "capture/trigger.h"

struct shared {
	_Atomic uint32_t asked; /* spools that the sentry has asked for */
	_Atomic uint32_t answered; /* the last of them that is done, well or badly */
	_Atomic uint32_t firing; /* a sentry's thread is about to fire */
	_Atomic bool used_up; /* capture/budget.h: no trigger for now */
	_Atomic uint32_t watching; /* the sentry has settled down */
	_Atomic uint32_t failures; /* times that the trigger has fired, and the machine went on */
	_Atomic int32_t failure; /* why, the last time: an errno; 0: nothing was said */
	/* Per CPU: what the spooler took up last. */
	struct taken {
		_Atomic uint64_t onset_ns; /* of a stall */
		_Atomic uint64_t event; /* number */
	} taken[];
};

struct watch {
	const struct watch_options *options;
	struct recorder recorder;
	struct shared *shared;
	struct trigger trigger;
	struct probes probes;
	struct pins pins; /* what stays if this process is killed */
	struct notify notify;
	struct journal journal;
};

struct error *shared_create(uint32_t nr_cpus, struct shared **ret);

/* "watching 2 CPUs by ...": what is watched, and how. */
void watch_describe(const struct watch *watch, char *ret, size_t size);

#endif
