/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be so before the watch begins: each that is not is an error with its remedy. */
#ifndef LOCKDUMP_PREFLIGHT_H
#define LOCKDUMP_PREFLIGHT_H

#include "base/error.h"

struct error *preflight_privilege(void);

/*
 * No other watch runs: it holds a lock on the file @path (WATCH_LOCK), and so does this one from now on, as long as
 * @ret_fd, which no child needs, is open.
 */
#define WATCH_LOCK "/run/lockdump.lock"
struct error *preflight_alone(const char *path, int *ret_fd);

/* The store is there, takes a file, and has room for @size bytes. */
struct error *preflight_store(const char *store, uint64_t size);

/* A crash kernel is loaded. */
struct error *preflight_crash_kernel(void);

/* Opens /proc/sysrq-trigger for the one write there will be. */
struct error *preflight_sysrq(int *ret_fd);

#endif
