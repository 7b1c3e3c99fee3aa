/* SPDX-License-Identifier: GPL-2.0-only */
/* The text that --print gives of a stall: process, memory, kernel. */
#ifndef LOCKDUMP_FACTS_H
#define LOCKDUMP_FACTS_H

#include <stdio.h>

#include "base/error.h"
#include "state/stall.h"

struct facts {
	const struct record_header *header;
	const struct record_slot *slot; /* a copy: it must not change; its comms are clean text */
	struct stall stall;
	const char *incident; /* its path; NULL if none could be made */
};

/* Names come from this machine's /proc/kallsyms; without it, addresses are printed. */
struct error *facts_print(const struct facts *facts, FILE *out);

#endif
