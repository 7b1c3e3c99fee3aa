/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of the crashed kernel is saved into a new incident, or the controller's, step by step, each step in a child with a
 * time limit. Whose environment this is, and where the store is mounted, is the caller's business.
 */
#ifndef LOCKDUMP_SAVING_H
#define LOCKDUMP_SAVING_H

#include "kdump/capture.h"

/* oom_score_adj(5) of who runs the steps: he writes the manifest. A step is what can be spared. */
#define OOM_NEVER -1000

/* Reads the configuration at @path. After an error only saving_tell_anew() is of use. */
struct error *capture_init(struct capture *capture, const char *path);

/* Saves all of it into @capture->store, the place @capture->place. An error: there could be no incident. */
struct error *saving_run(struct capture *capture);

/*
 * The same of all but the vmcore, and without a manifest: the incident stays open. Then, once the host has done its part, or has
 * failed, as capture->found tells, the rest.
 */
struct error *saving_begin(struct capture *capture);
void saving_finish(struct capture *capture);

/* The report to the console, and what listens there: for want of a store that is all that is left to do. */
void saving_tell(struct capture *capture);

/*
 * The same for who has seen a worker come to no end: nobody knows what it has saved. Runs in a child; @path is that of the
 * configuration, which need not be readable.
 */
struct error *saving_tell_anew(void *path);

#endif
