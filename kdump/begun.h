/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture that one process has begun and another ends, while a host saves the vmcore in between: what the first has found out,
 * in a file ("lockdump.begun/1") in the capture environment's memory.
 */
#ifndef LOCKDUMP_BEGUN_H
#define LOCKDUMP_BEGUN_H

#include <stdbool.h>

#include "kdump/capture.h"

#define BEGUN_FOLDER "/run/lockdump"

/* Whether one was begun; @root is "" but in tests. */
bool begun_is_there(const char *root);

/* Writes it, in the place of the one that is there. Without an incident it says that one cannot be made, and nothing else. */
struct error *begun_write(const char *root, const struct capture *capture);

/*
 * Adds it to @ret, which capture_init() has made. Its incident is not opened; an empty ID: there is none. ERROR_NOT_FOUND: nothing
 * was begun.
 */
struct error *begun_read(const char *root, struct capture *ret);

#endif
