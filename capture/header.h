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

/* Fills the header; its magic comes last. */
struct error *header_init(const struct recorder *recorder, const struct watch_options *options);

/* The record's clock as CLOCK_BOOTTIME, nanoseconds. */
uint64_t header_boottime_ns(const struct record_header *header, uint64_t monotonic_ns);

#endif
