/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight record's header, which user space writes. */
#ifndef LOCKDUMP_HEADER_H
#define LOCKDUMP_HEADER_H

#include "base/error.h"
#include "capture/options.h"
#include "capture/recorder.h"

#define SAMPLE_INTERVAL_NS 1000000000ULL

/* From a stall's onset to its first sample. */
uint64_t header_sample_first_ns(const struct watch_options *options);

/* Fills the header, or brings one that was taken over up to date: its incident stays. */
struct error *header_init(const struct recorder *recorder, const struct watch_options *options);

/*
 * To be called now and then: the wall clock may have been set, or the machine may have slept, since the header was filled.
 * The anchors stay those of the watch's start.
 */
void header_follow_clocks(struct record_header *header);

/* Its watch is over: what the kernel has not freed yet is no record any more. */
void header_end(struct record_header *header);

/* This boot's, at most @size bytes with the 0 at the end. */
struct error *header_boot_id(char *ret, size_t size);

/* The record's clock as CLOCK_BOOTTIME, nanoseconds. */
uint64_t header_boottime_ns(const struct record_header *header, uint64_t monotonic_ns);

#endif
