/* SPDX-License-Identifier: GPL-2.0-only */
/* Flight records, made for tests. */
#ifndef LOCKDUMP_MAKE_RECORD_H
#define LOCKDUMP_MAKE_RECORD_H

#include "state/record.h"

/* Fills in what each record of @nr_slots CPUs has in its header; the rest stays. */
void make_record_header(struct record_header *header, uint32_t nr_slots);

#endif
