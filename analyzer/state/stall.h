/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CPU's slot of the flight record says of a stall, read while the kernel writes it. */
#ifndef LOCKDUMP_STATE_STALL_H
#define LOCKDUMP_STATE_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/record.h"

struct stall {
	uint32_t cpu;
	uint64_t onset_ns; /* 0: there was none */
	uint64_t last_ns; /* last look that saw it */
	uint64_t end_ns; /* 0: none has seen its end */
	uint64_t wanted_ns; /* when another task was first seen to wait; 0: none was */
	uint64_t paused_ns; /* of its time, in which the machine did not run */
	uint64_t
		sequence; /* odd: the slot is torn, the crash came while this stall took its place */
	uint64_t first_number;
	uint64_t last_number;
};

enum stall_state {
	STALL_NONE,
	STALL_ON,
	STALL_SILENT, /* neither seen nor ended for long: the CPU takes no timer interrupts */
	STALL_OVER,
};

void stall_read(const struct record_slot *slot, uint32_t cpu, struct stall *ret);

/* @silent_ns: looks that are this far apart are no longer the tick's jitter. */
enum stall_state stall_state(const struct stall *stall, uint64_t now, uint64_t silent_ns);

/* From the onset to the last look that saw it, without the pauses: what is certain. */
uint64_t stall_length_ns(const struct stall *stall);

/* Whether it has lasted @least_ns, and another task wanted the CPU meanwhile. */
bool stall_is_lockup(const struct stall *stall, uint64_t least_ns);

/* The newest whole sample of the stall with that onset, or NULL. @slot must not change meanwhile. */
const struct record_sample *stall_newest_sample(const struct record_slot *slot, uint64_t onset_ns);

/* Whether @sample is whole and belongs to the stall with that onset. */
bool stall_has_sample(const struct record_sample *sample, uint64_t onset_ns);

/* When it has lasted @length_ns, if the machine goes on running. */
uint64_t stall_deadline_ns(const struct stall *stall, uint64_t length_ns);

/*
 * A copy of one live sample, event or hit, or of a whole live slot. One that the kernel wrote meanwhile is torn in the
 * copy: its two numbers differ.
 */
void stall_copy_sample(const struct record_sample *live, struct record_sample *ret);
void stall_copy_event(const struct record_event *live, struct record_event *ret);
void stall_copy_hit(const struct record_hit *live, struct record_hit *ret);
void stall_copy_slot(const struct record_slot *live, struct record_slot *ret);

/* Copies the newest whole sample of the stall with that onset out of a live slot. False: there is none. */
bool stall_copy_newest(const struct record_slot *live, uint64_t onset_ns,
		       struct record_sample *ret);

#endif
