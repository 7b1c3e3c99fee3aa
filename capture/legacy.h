/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a watch that did not end cleanly (killed, crashed) has left: its record is pinned, and goes on. The next watch
 * takes it over if it is the same version's.
 */
#ifndef LOCKDUMP_LEGACY_H
#define LOCKDUMP_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/record.h"
#include "capture/pin.h"

struct legacy {
	int map_fd; /* -1: there is nothing to take over */
	struct record_header header; /* as it was left */
	/*
	 * A CPU is past the threshold of the watch before, or takes no interrupts. Then its programs are left alone: who
	 * loads others waits for each CPU to answer IPIs, and who detaches them for all tasks to have switched
	 * (synchronize_rcu_tasks() in ftrace_shutdown(), kernel/trace/ftrace.c).
	 */
	bool stuck;
};

/*
 * Finds it. One of another version of lockdump cannot go on: what there is of a stall of at least @threshold_ns is
 * saved as an incident in @store, all of it is unpinned, and stderr says so.
 */
struct error *legacy_find(const struct pins *pins, const char *store, uint64_t threshold_ns,
			  struct legacy *ret);
void legacy_deinit(struct legacy *legacy);

/* Why the record @map of @size bytes is not this version's, with elements of @slot_size bytes; NULL if it is. */
struct error *legacy_check(const void *map, size_t size, size_t slot_size, const char *boot_id);

/*
 * Whether the watch before had seen that the stall with that @onset_ns is a lockup, by its @before: it was there
 * after the threshold.
 */
bool legacy_attended(const struct record_header *before, uint64_t onset_ns);

#endif
