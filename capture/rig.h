/* SPDX-License-Identifier: GPL-2.0-only */
/* rig.json: which machine and kernel an incident is of. */
#ifndef LOCKDUMP_RIG_H
#define LOCKDUMP_RIG_H

#include <stdio.h>

#include "base/error.h"
#include "kdump/store.h"

/* Gathers it anew, as the machine is now, and writes it into @incident. */
struct error *rig_write(const struct incident *incident);

/* The build id out of ELF notes as /sys/kernel/notes has them: hexadecimal; the caller frees. NULL: none. */
char *rig_build_id(const void *notes, size_t size);

#endif
