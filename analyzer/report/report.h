/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report says, gathered once and printed in any form: "lockdump.report/1". */
#ifndef LOCKDUMP_REPORT_H
#define LOCKDUMP_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "state/kernel.h"
#include "state/record.h"

struct report;

/*
 * Gathers all that there is to say of @kernel, whose vmcore is called @vmcore in the report. @record may be
 * NULL. Both must live as long as the report. What cannot be read ends in the report's notes, not in an error.
 */
struct error *report_create(struct kernel *kernel, const char *vmcore, const struct record *record,
			    struct report **ret);
void report_destroy(struct report *report);

struct error *report_print_text(const struct report *report, bool all_tasks, bool colour,
				FILE *out);
struct error *report_print_json(const struct report *report, FILE *out);

/* How many tasks the report has, and how many of them have a stack: what a dump must give to be of use. */
size_t report_tasks(const struct report *report, size_t *with_stack);

#endif
