/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder of an incident with what was gathered at one time, and its index: gather.json, "lockdump.gather/1". */
#ifndef LOCKDUMP_GATHERED_H
#define LOCKDUMP_GATHERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/gatherer.h"
#include "capture/reader.h"
#include "kdump/store.h"

#define GATHERED_MAX 256

struct gathered_item {
	char name[32]; /* of the file */
	double seconds;
	const char *outcome; /* "done", "failed", "timeout", "skipped" */
	char why[160]; /* empty: null */
	size_t size; /* of the file, or of its NAME.incomplete */
	bool staged; /* it is written, and is to be published */
};

struct gathered {
	struct incident folder; /* dirfd -1: none */
	enum gather_folder which;
	double began_s; /* since 1970 */

	struct gather_stall stalls[GATHER_MAX_STALLS];
	size_t nr_stalls;
	size_t left_out; /* stalls beyond these */

	struct gathered_item items[GATHERED_MAX];
	size_t nr_items;
};

/*
 * Opens the folder that @request wants. If it is the one that is open already, what comes is added to it. *@ret_first is
 * the first of gathered->stalls that is new.
 */
struct error *gathered_open(struct gathered *gathered, const char *store,
			    const struct gather_request *request, size_t *ret_first);

/*
 * Stores what was read, and notes it: for now as NAME.incomplete. What an error or the limit ended keeps that name, if it
 * is anything.
 */
void gathered_add(struct gathered *gathered, const char *name, const struct reading *reading);

/* Notes that @name was not tried. */
void gathered_skip(struct gathered *gathered, const char *name, const char *why);

/* Gives the files that are whole their names, and writes gather.json. */
struct error *gathered_publish(struct gathered *gathered);

void gathered_close(struct gathered *gathered);

#endif
