/* SPDX-License-Identifier: GPL-2.0-only */
/* What a dump must give to be of use, in numbers that can be compared with another dump's of the same memory. */
#ifndef LOCKDUMP_CONTENT_H
#define LOCKDUMP_CONTENT_H

#include "report/report.h"

struct report_content {
	size_t tasks;
	size_t tasks_with_stack;
	size_t frames;
	size_t modules;
	size_t log_lines;
	size_t stacks_hash; /* base/hash.h's, of each task's pid and frames */
	size_t modules_hash;
	size_t log_hash;
};

void report_content(const struct report *report, struct report_content *ret);

#endif
