/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much a store keeps: by number, size, age, and the room that is left for others and for the next dump. Only harvest
 * removes by it, and only when the newest incident was saved well: the capture kernel, which has no room, saves the report
 * alone, so that no dump is given for one that may not come to be.
 */
#ifndef LOCKDUMP_RETENTION_H
#define LOCKDUMP_RETENTION_H

#include "kdump/selection.h"
#include "kdump/settings.h"

/* The store's file system, bytes. */
struct room {
	uint64_t total, free;
};

struct doomed {
	const struct incident_summary *one;
	char why[96];
};

struct doomed_list {
	VECTOR(struct doomed) list;
};

/*
 * Which of @own, oldest first, are to go: never the newest, nor the newest that has a dump, nor one that is kept. Those that
 * are kept do not count. None is, if the newest is not complete.
 */
struct error *retention_choose(const struct limits *limits, const struct room *room,
			       const struct chosen *own, int64_t now_s, struct doomed_list *ret);
void doomed_list_deinit(struct doomed_list *doomed);

#endif
