/* SPDX-License-Identifier: GPL-2.0-only */
/* What Prometheus' node_exporter reads of a watch, by its textfile collector. */
#ifndef LOCKDUMP_METRICS_H
#define LOCKDUMP_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "bpf/record.h"

struct metrics {
	bool watching;
	const char *hook; /* the kernel function that the samples come from */
	const char *trigger; /* its mode */
	uint64_t ticks; /* the hook's calls, of all CPUs */
	double heartbeat_s; /* since 1970 */
	double threshold_s;
	uint64_t stalls; /* past the threshold */
	uint32_t stalled_cpus; /* now */
	double longest_s; /* 0: there was none */
	uint64_t alarms[RECORD_NR_KINDS]; /* what else was wrong, past its threshold */
	uint64_t incidents; /* stored */
	uint64_t triggers; /* tries to crash the machine */
	uint64_t trigger_failures; /* those that it has survived */
	/* The last stall. */
	double onset_s; /* since 1970; 0: there was none */
	uint32_t cpu;
	char comm[17];
	char incident[48];
};

void metrics_print(const struct metrics *metrics, FILE *out);

/* Replaces the file @path by rename, so that no reader sees a part of it. */
struct error *metrics_write(const struct metrics *metrics, const char *path);

#endif
