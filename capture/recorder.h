/* SPDX-License-Identifier: GPL-2.0-only */
/* The recorder in the kernel: probed, loaded, attached, its map in our memory. */
#ifndef LOCKDUMP_RECORDER_H
#define LOCKDUMP_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/record.h"
#include "capture/legacy.h"
#include "capture/pin.h"

struct recorder_bpf;

struct recorder {
	struct recorder_bpf *bpf; /* NULL: its programs are those that were taken over */
	int map_fd; /* the record's, for other BPF objects */
	bool taken_over; /* what is in the record stays */
	bool stuck; /* its programs were not compared with those that it would have loaded */
	struct record_header before; /* then: as the watch before left it */
	void *record; /* the map's memory: the header, then the slots */
	size_t size; /* bytes */
	uint32_t nr_cpus; /* possible ones: slots */
	const char *hook; /* the kernel function that the samples come from */
	uint64_t silent_ns; /* a CPU that was not looked at for so long takes no timer interrupts */
};

/*
 * Runs until recorder_stop(), or until the process and all its children have ended; what recorder_pin() has pinned runs on.
 *
 * With a @legacy the record goes on, and its programs stay if they are the same, or if a CPU is stuck. New ones are there
 * before the old ones go, in recorder_pin().
 */
struct error *recorder_start(uint64_t sample_first_ns, uint64_t sample_interval_ns,
			     const struct pins *pins, const struct legacy *legacy,
			     struct recorder *ret);
void recorder_stop(struct recorder *recorder);

struct error *recorder_pin(const struct recorder *recorder, const struct pins *pins);

struct record_header *recorder_header(const struct recorder *recorder);
const struct record_slot *recorder_slot(const struct recorder *recorder, uint32_t cpu);

#endif
