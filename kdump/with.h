/* SPDX-License-Identifier: GPL-2.0-only */
/* Who saves a crash: lockdump's own capture environment, or the distribution's, in which lockdump does its part. */
#ifndef LOCKDUMP_WITH_H
#define LOCKDUMP_WITH_H

#include <stdbool.h>

#include "kdump/host.h"

enum with {
	WITH_AUTO, /* builtin if that reaches the store, else what is installed */
	WITH_BUILTIN,
	WITH_KDUMP_TOOLS, /* Debian's */
	WITH_KDUMP_UTILS, /* Fedora's */
};

/* For messages. */
#define WITH_NAMES "builtin, kdump-tools, kdump-utils and auto"

const char *with_name(enum with with);
bool with_find(const char *name, enum with *ret);

/* NULL: it is nobody else's. */
const struct host *with_host(enum with with);

/* The same by name. */
const struct host *with_find_host(const char *name);

/* Which one AUTO is for @store. The error says why builtin does not do, and what to install. */
struct error *with_choose(const char *store, enum with *ret);

#endif
