/* SPDX-License-Identifier: GPL-2.0-only */
/* The recorder in the kernel: probed, loaded, attached, its map in our memory. */
#ifndef LOCKDUMP_RECORDER_H
#define LOCKDUMP_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/record.h"
#include "capture/features.h"
#include "capture/legacy.h"
#include "capture/pin.h"

struct bpf_link;
struct recorder_bpf;

/* What it is told at its start. */
struct recorder_settings {
	uint64_t sample_first_ns; /* from a stall's onset */
	uint64_t sample_interval_ns;
	uint64_t condition_after_ns[RECORD_NR_KINDS]; /* lasts it that long, it is an event */
	bool locks; /* who spins for which is noted */
};

/* The way that the recorder is run. */
struct recorder_choice {
	enum hook hook; /* samples come from it */
	bool watchdog; /* HOOK_WATCHDOG is used, besides or alone */
};

struct recorder {
	struct recorder_choice choice;
	struct recorder_bpf *bpf; /* NULL: its programs are those that were taken over */
	int map_fd; /* the record's */
	bool taken_over; /* what is in the record stays */
	bool stuck; /* a CPU was, when it was taken over */
	struct record_header before; /* then: as the watch before left it */
	struct bpf_link **clocks; /* of each CPU, where samples come from perf events; else NULL */
	void *record; /* the map's memory: the header, then the slots */
	size_t size; /* bytes */
	uint32_t nr_cpus; /* possible ones: slots */
	const char *hook; /* the name of choice.hook */
	uint64_t silent_ns; /* a CPU that was not looked at for so long takes no timer interrupts */
};

/*
 * Runs until recorder_stop(), or until the process and all its children have ended; what recorder_pin() has pinned runs on.
 *
 * With a @legacy the record goes on, and its programs stay if they are the same, or if a CPU is stuck. New ones are there
 * before the old ones go, in recorder_pin().
 */
struct error *recorder_start(const struct recorder_settings *settings, const struct pins *pins,
			     const struct legacy *legacy, struct recorder *ret);

struct error *recorder_pin(const struct recorder *recorder, const struct pins *pins);

/*
 * What recorder_start() would come to: loaded, but nothing is attached, and the record is not mapped. @ret_refused:
 * why a better way was not taken though the kernel has what it takes; NULL: there is none.
 */
struct error *recorder_try(const struct features *features, struct recorder *ret,
			   struct error **ret_refused);
void recorder_stop(struct recorder *recorder);

/* The flight record's map, for other BPF objects. */
int recorder_map_fd(const struct recorder *recorder);

struct record_header *recorder_header(const struct recorder *recorder);
const struct record_slot *recorder_slot(const struct recorder *recorder, uint32_t cpu);

#endif
