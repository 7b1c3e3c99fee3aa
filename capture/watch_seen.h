/* SPDX-License-Identifier: GPL-2.0-only */
/* The watch as it is seen from outside: by the lock that it holds, its command line, and its record. */
#ifndef LOCKDUMP_WATCH_SEEN_H
#define LOCKDUMP_WATCH_SEEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "bpf/record.h"
#include "capture/options.h"

struct watch_seen {
	bool is_known; /* whether it runs; else who asks may not */
	pid_t pid; /* 0: none runs */

	bool has_options; /* its own: of its command line and the configuration; what its record has of them wins */
	struct watch_options options;
	char command_line[4096]; /* which the options point into */
	char *arguments[64];

	bool has_header; /* of its record, which is pinned */
	struct record_header header;
	double heartbeat_age_s; /* with a header */

	bool has_triggers;
	unsigned int triggers; /* that count for --max-triggers by now */
};

/* @root is "" but in tests. */
void watch_seen_look(const char *root, struct watch_seen *ret);
void watch_seen_deinit(struct watch_seen *seen);

#endif
