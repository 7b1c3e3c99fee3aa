/* SPDX-License-Identifier: GPL-2.0-only */
/* A crashed kernel, opened for analysis: the dump with what was found in it. */
#ifndef LOCKDUMP_KERNEL_H
#define LOCKDUMP_KERNEL_H

#include "base/error.h"

struct kernel;

/* Opens the vmcore @path (a file or /proc/vmcore). The caller ends it with kernel_close(). */
struct error *kernel_open(const char *path, struct kernel **ret);
void kernel_close(struct kernel *kernel);

#endif
