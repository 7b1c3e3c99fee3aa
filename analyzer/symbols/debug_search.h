/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files may be the debug information of a kernel or module: Debian's, Fedora's and gdb's layouts. */
#ifndef LOCKDUMP_DEBUG_SEARCH_H
#define LOCKDUMP_DEBUG_SEARCH_H

#include "symbols/build_id.h"

struct debug_wanted {
	const struct build_id *build_id;
	const char *release; /* NULL: not known */
	const char *module; /* NULL: the kernel */
};

/*
 * Calls @candidate with the path of each file that is there, the likeliest first, until it returns true. @folders
 * are separated by ':'.
 */
void debug_search(const char *folders, const struct debug_wanted *wanted,
		  bool (*candidate)(void *data, const char *path), void *data);

/* OSRELEASE, if it can be part of a file's name, for the caller to free; else NULL. */
char *debug_release(const struct vmcoreinfo *info);

/* Names out of a dump become parts of paths only if they cannot lead elsewhere. */
bool debug_name_is_safe(const char *name);

#endif
