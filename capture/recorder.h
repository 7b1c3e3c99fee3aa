/* SPDX-License-Identifier: GPL-2.0-only */
/* The recorder in the kernel: probed, loaded, attached, its map in our memory. */
#ifndef LOCKDUMP_RECORDER_H
#define LOCKDUMP_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/record.h"

struct recorder_bpf;

struct recorder {
	struct recorder_bpf *bpf;
	void *record; /* the map's memory: the header, then the slots */
	size_t size; /* bytes */
	uint32_t nr_cpus; /* possible ones: slots */
	const char *hook; /* the kernel function that the samples come from */
	uint64_t silent_ns; /* a CPU that was not looked at for so long takes no timer interrupts */
};

/* Runs until recorder_stop(), or until the process and all its children have ended. */
struct error *recorder_start(uint64_t sample_first_ns, uint64_t sample_interval_ns,
			     struct recorder *ret);
void recorder_stop(struct recorder *recorder);

/* The flight record's map, for other BPF objects. */
int recorder_map_fd(const struct recorder *recorder);

struct record_header *recorder_header(const struct recorder *recorder);
const struct record_slot *recorder_slot(const struct recorder *recorder, uint32_t cpu);

#endif
