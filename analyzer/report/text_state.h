/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of the machine's and the CPUs' state. */
#ifndef LOCKDUMP_TEXT_STATE_H
#define LOCKDUMP_TEXT_STATE_H

#include "report/report.h"

/* What there is to say of report->cpus.list.data[index] besides its stack: a few lines, each with this before it. */
void text_put_cpu_state(const struct report *report, size_t index, const char *indent, FILE *out);

/* "", or which CPUs are offline. */
void text_put_offline(const struct report *report, const char *indent, FILE *out);

void text_put_memory(const struct report *report, FILE *out);

#endif
