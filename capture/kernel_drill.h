/* SPDX-License-Identifier: GPL-2.0-only */
/* A drill of the kernel's own trigger: the one that a watch has armed is asked, by its record, to fire. */
#ifndef LOCKDUMP_KERNEL_DRILL_H
#define LOCKDUMP_KERNEL_DRILL_H

#include "base/error.h"
#include "bpf/record.h"

/* Maps the header of the record that is pinned at @path (RECORD_PIN_PATH). An error if its trigger is not armed. */
struct error *kernel_drill_open(const char *path, struct record_header **ret);

/* Asks, and waits up to @limit_s. Returns only if the machine lives on. */
void kernel_drill_fire(struct record_header *header, unsigned int limit_s);

void kernel_drill_close(struct record_header *header);

#endif
