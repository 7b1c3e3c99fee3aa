/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of --probe: each call of one goes to the flight record, by bpf/probe.bpf.c. Like the recorder's programs
 * these outlive the controller, where the kernel can pin them: all links can be but those of kprobes before 5.15.
 */
#ifndef LOCKDUMP_PROBES_H
#define LOCKDUMP_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/options.h"
#include "capture/pin.h"
#include "capture/recorder.h"

struct probe_bpf;

struct probe {
	const char *name; /* not owned */
	uint64_t address; /* 0: hidden */
	uint32_t place; /* in the header's probes */
};

struct probes {
	struct probe list[RECORD_NR_PROBES];
	size_t count;
	bool multi; /* one link for all: kprobe.multi; else each has its kprobe */
	uint64_t since_ns; /* hits are this watch's from then on */
	struct probe_bpf *bpf; /* NULL: there are none, or they are pinned */
};

/*
 * Finds them in @kallsyms, a file in the form of /proc/kallsyms. An error is of one that is no function of this kernel,
 * or is several; one that is optional is left out then, and stderr says so.
 */
struct error *probes_find(const struct probe_names *names, const char *kallsyms,
			  struct probes *ret);

/*
 * Gives each its place in the record's header: the one that has its name since the watch before, else a free one, else
 * one of a function that is not probed any more.
 */
void probes_place(struct probes *probes, const struct record_header *header);

/* Enters their names there. Hits of a function that so loses its place are forgotten. */
void probes_enter(const struct probes *probes, const struct recorder *recorder);

/*
 * Attaches them, in the place of those that the watch before has left; without any, only takes these away. An error says
 * which cannot be had, why, and what to do.
 */
struct error *probes_attach(struct probes *probes, const struct recorder *recorder,
			    const struct pins *pins);

/* Where they cannot be pinned they end with this process, and stderr says so. */
void probes_pin(struct probes *probes, const struct pins *pins);

#endif
