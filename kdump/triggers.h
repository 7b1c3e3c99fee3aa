/* SPDX-License-Identifier: GPL-2.0-only */
/* How often lockdump has crashed the machine, as its incidents tell. */
#ifndef LOCKDUMP_TRIGGERS_H
#define LOCKDUMP_TRIGGERS_H

#include "base/error.h"

/*
 * The incidents in @store that a trigger of lockdump's began, by sysrq or in the kernel, at @since_s (seconds since 1970) or
 * later. It is in the manifest; where the capture kernel came to none, in the flight record that the controller left. What
 * cannot be read is not counted.
 */
struct error *triggers_count(const char *store, double since_s, unsigned int *ret);

#endif
