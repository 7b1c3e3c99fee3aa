/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight record, checked: out of a vmcore, or from a record.bin. Its layout: bpf/record.h. */
#ifndef LOCKDUMP_STATE_RECORD_H
#define LOCKDUMP_STATE_RECORD_H

#include "bpf/record.h"
#include "state/kernel.h"

/* 1024 CPUs and the header: 128 MB, half of what an analysis may have. */
#define RECORD_MAX_SIZE ((uint64_t)(1024 + 1) * RECORD_SLOT_SIZE)

enum record_from { RECORD_FROM_VMCORE, RECORD_FROM_FILE };

struct record {
	void *data; /* the whole map: header, then slots */
	size_t size; /* bytes */
	const struct record_header *header; /* strings end with 0, sizes and counts are checked */
	enum record_from from;
};

/* Copies the record out of the dumped kernel's BPF maps. ERROR_NOT_FOUND if no recorder was loaded. */
struct error *record_from_kernel(struct kernel *kernel, struct record *ret);

struct error *record_from_file(const char *path, struct record *ret);

/* Checks @data, which stays the caller's and is mended where it must be; @ret is not to be deinited. */
struct error *record_view(void *data, size_t size, struct record *ret);

/* Checks and adopts @data (malloc'ed): on success, @ret owns it; on failure it was freed. */
struct error *record_parse(void *data, size_t size, struct record *ret);

/* The record's clock as CLOCK_REALTIME, nanoseconds since 1970. */
uint64_t record_realtime_ns(const struct record_header *header, uint64_t monotonic_ns);

/* The slot of @cpu; @cpu must be below header->nr_slots. */
const struct record_slot *record_slot(const struct record *record, uint32_t cpu);

/*
 * The samples of @slot's last stall, oldest first, into @ret; returns how many. Torn ones, which the crash
 * interrupted, are left out and counted in *@torn_ret.
 */
size_t record_samples(const struct record_slot *slot,
		      const struct record_sample *ret[RECORD_NR_SAMPLES], size_t *torn_ret);

/* The same of events and hits: all that are whole, oldest first. */
size_t record_events(const struct record_slot *slot,
		     const struct record_event *ret[RECORD_NR_EVENTS], size_t *torn_ret);
size_t record_hits(const struct record_slot *slot, const struct record_hit *ret[RECORD_NR_HITS],
		   size_t *torn_ret);

/* When @slot's CPU was last looked at, by a tick or an NMI. */
uint64_t record_looked_ns(const struct record_slot *slot);

/*
 * Whether @slot's CPU was in the slow path for @contention's lock when it was last looked at; also if that was before
 * the call, for want of anything later.
 */
bool record_is_spinning(const struct record_slot *slot, const struct record_contention *contention);

/* The crash came while a stall took the place of the last one: what the slot says of either is mixed up. */
bool record_slot_is_torn(const struct record_slot *slot);

/* "its stall, 1 sample, 2 events"; false if nothing of @slot is torn. */
bool record_describe_torn(const struct record_slot *slot, char *ret, size_t size);

/*
 * The interrupted code's stack in @sample: where its pcs begin in sample->stack, and how many they are. The
 * interrupt's own frames, which come first, are left out. @pc: the interrupted one.
 */
size_t sample_stack(const struct record_sample *sample, uint64_t pc, const __u64 **ret);

void record_deinit(struct record *record);

#endif
