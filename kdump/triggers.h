/* SPDX-License-Identifier: GPL-2.0-only */
/* How often lockdump has crashed the machine, as its incidents tell. */
#ifndef LOCKDUMP_TRIGGERS_H
#define LOCKDUMP_TRIGGERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kdump/store.h"

/* How a line in the kernel's log begins by which a watch without a flight record says that it crashes the machine, and why. */
#define TRIGGERS_SAID "lockdump: crashing the machine: "

/* The reason in such a line of a drill, which is no trigger's doing and does not count as one. */
#define TRIGGERS_DRILL "drill"

/* What such a line at the end of @log, as dmesg(1) prints it, gives as the reason; false: there is none. */
bool triggers_find_said(const char *log, char *ret, size_t size);

/*
 * The incidents in @store that a trigger of lockdump's began, by sysrq or in the kernel, but no drill, at @since_s (seconds since 1970) or
 * later. It is in the manifest; where the capture kernel came to none, in the flight record that the controller left. What
 * cannot be read is not counted.
 */
struct error *triggers_count(const char *store, double since_s, unsigned int *ret);

/* When a trigger of lockdump's began @incident, in seconds since 1970, as that tells; 0: none did. */
double triggers_when(const struct incident *incident);

#endif
