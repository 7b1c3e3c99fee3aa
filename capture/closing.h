/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of an incident that did not end in a crash. */
#ifndef LOCKDUMP_CLOSING_H
#define LOCKDUMP_CLOSING_H

#include "kdump/store.h"

/*
 * Writes the manifest, by which the incident is known to be over. @over: all is well again; else the watch ends while it is
 * not. @whole: all that a watch saves is there.
 */
struct error *closing_write(const struct incident *incident, bool over, bool whole);

#endif
