/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of 'lockdump watch'. */
#ifndef LOCKDUMP_OPTIONS_H
#define LOCKDUMP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "bpf/record.h"

struct watch_options {
	uint64_t threshold_ns;
	uint64_t trigger_after_ns; /* from the onset; at least the threshold */
	enum record_trigger_mode trigger;
	uint32_t trigger_on; /* 1 << enum record_kind */
	const char *store; /* not owned */
	bool print;
	bool once;
	bool help; /* the rest was not looked at */
};

/* An error means wrong usage. */
struct error *watch_options_parse(int argc, char **argv, struct watch_options *ret);

/* As --trigger has it. */
const char *watch_options_trigger(enum record_trigger_mode mode);

void watch_options_usage(FILE *out);

#endif
