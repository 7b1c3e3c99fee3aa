/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that stays: the disk that a page would have to come from may be what hangs. */
#ifndef LOCKDUMP_LOCKED_MEMORY_H
#define LOCKDUMP_LOCKED_MEMORY_H

#include "base/error.h"

/*
 * Locks what the process has touched so far, and what it will touch. The whole of this program and of the C library
 * is brought in now; of the other libraries, ten times as large, a sentry uses nothing.
 */
struct error *memory_lock(void);

/* Brings in what the calling thread's stack may grow to. */
void memory_touch_stack(void);

#endif
