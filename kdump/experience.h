/* SPDX-License-Identifier: GPL-2.0-only */
/* What earlier captures on this machine tell of the next one. */
#ifndef LOCKDUMP_EXPERIENCE_H
#define LOCKDUMP_EXPERIENCE_H

#include <stdbool.h>

#include "kdump/manifest.h"

/*
 * Calls @function with the manifest of each of this machine's incidents of kernel @release in @store, in no order. A store that is not
 * there has none.
 */
void experience_walk(const char *store, const char *release,
		     void (*function)(const struct manifest *manifest, void *arg), void *arg);

/*
 * The dump level of the newest vmcore of kernel @release that was proven, and was written by this makedumpfile: another
 * version may know the kernel better, or worse. False if there is none.
 */
bool experience_level(const char *store, const char *release, const char *makedumpfile_version,
		      unsigned int *ret);

#endif
