/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight record of this machine as it is written, by the name that it has in the BPF file system. */
#ifndef LOCKDUMP_STATE_RECORD_PIN_H
#define LOCKDUMP_STATE_RECORD_PIN_H

#include "state/record.h"

#define RECORD_PIN_BPFFS "/sys/fs/bpf"
#define RECORD_PIN_DIR	 "lockdump"
#define RECORD_PIN_NAME	 "record"
#define RECORD_PIN_PATH	 RECORD_PIN_BPFFS "/" RECORD_PIN_DIR "/" RECORD_PIN_NAME

/*
 * Copies the record that is pinned at @path (RECORD_PIN_PATH); no controller is needed for that. What is being written
 * meanwhile is torn in the copy. ERROR_NOT_FOUND if nothing is pinned there.
 */
struct error *record_from_pin(const char *path, struct record *ret);

/* The same of its header alone, and of this version's only. */
struct error *record_header_from_pin(const char *path, struct record_header *ret);

#endif
