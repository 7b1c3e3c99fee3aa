/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of 'lockdump watch': of the command line, and of the configuration's section [Watch]. One table in
 * options.c has a row for each, with its option, its key, and the parser of both.
 */
#ifndef LOCKDUMP_OPTIONS_H
#define LOCKDUMP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "bpf/record.h"
#include "kdump/configuration.h"
#include "report/outlet.h"
#include "kdump/strings.h"

#define THRESHOLD_NEVER UINT64_MAX

struct watch_options {
	uint64_t threshold_ns; /* of stalls */
	struct thresholds {
		uint64_t ns[RECORD_NR_KINDS];
	} threshold_for; /* of each kind; of stalls too */
	uint64_t trigger_after_ns; /* from the onset; at least the threshold */
	struct thresholds trigger_after_for; /* of each kind: at least its own threshold */
	enum record_trigger_mode trigger;
	struct trigger_on {
		uint32_t kinds; /* 1 << enum record_kind */
		uint32_t requests; /* enum external_request */
	} trigger_on;
	struct max_triggers {
		unsigned int count;
		unsigned int days;
	} max_triggers;
	const char *store; /* not owned */
	const char *root; /* not owned; of the state folder: "" but in tests */
	const char *metrics; /* not owned; NULL: none are wanted */
	bool locks; /* the record has who spins for which */
	bool print;
	struct probe_names {
		const char *names[RECORD_NR_PROBES]; /* not owned; kernel functions, each once */
		size_t count;
		bool optional; /* of the configuration, which may be for other kernels too */
	} probes;
	enum outlet to; /* besides: who is stuck, in a few lines */
	bool once;
	bool help; /* the rest was not looked at */

	struct strings texts; /* of the configuration: what is not owned points into them */
};

/*
 * Options win over the configuration in @folder, of which a part, or all (NULL), may be missing. An error means
 * wrong usage or a wrong configuration. A key that is not known is told on stderr, and ignored. @argv must outlive
 * @ret.
 */
struct error *watch_options_parse(int argc, char **argv, const char *folder,
				  struct watch_options *ret);
void watch_options_deinit(struct watch_options *options);

/* As --trigger has it. */
const char *watch_options_trigger(enum record_trigger_mode mode);

void watch_options_usage(FILE *out);

#endif
