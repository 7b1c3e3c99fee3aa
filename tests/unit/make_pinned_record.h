/* SPDX-License-Identifier: GPL-2.0-only */
/* A flight record in a real BPF map with a name, for tests; it takes what make_bpffs() takes. */
#ifndef TESTS_MAKE_PINNED_RECORD_H
#define TESTS_MAKE_PINNED_RECORD_H

#include "make_bpffs.h"
#include "state/record.h"

struct made_pinned_record {
	char bpffs[BPFFS_PATH_SIZE];
	char path[96]; /* the name */
	struct record_header *header; /* the map's memory */
	size_t size;
};

/* A test's setup and teardown: *state is one without any map. */
int make_pinned_record_setup(void **state);
int make_pinned_record_teardown(void **state);

/* The BPF file system that it would be in. */
void make_pinned_record_folder(struct made_pinned_record *made);

/* That, and the record of @nr_cpus CPUs. The map's only owner is its name. */
void make_pinned_record(struct made_pinned_record *made, uint32_t nr_cpus);

#endif
