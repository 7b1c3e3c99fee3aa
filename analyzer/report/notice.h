/* SPDX-License-Identifier: GPL-2.0-only */
/* The record in a few lines, for where there is little room and nobody to ask: the kernel's log, ramoops. */
#ifndef LOCKDUMP_NOTICE_H
#define LOCKDUMP_NOTICE_H

#include <stdio.h>

#include "base/error.h"
#include "report/outlet.h"
#include "state/record.h"

/*
 * Says of the CPUs that are stuck, or take no interrupts, who runs there and since when: a line for each of the first
 * five, and how many more there are. If none is, the same of the last one that was, and what else is wrong. @now_ns:
 * the record's clock.
 */
struct error *notice_print_heads(const struct record *record, uint64_t now_ns, FILE *out);

/*
 * Their stacks. The names are of this machine's kernel, as @kallsyms, which has the form of /proc/kallsyms, has them;
 * NULL: there are only addresses.
 */
struct error *notice_print_stacks(const struct record *record, uint64_t now_ns, FILE *kallsyms,
				  FILE *out);

/* Both to @to, with this machine's names where it tells them. @patient: as outlet_write() has it. */
struct error *notice_write(const struct record *record, uint64_t now_ns, enum outlet to,
			   bool patient);

#endif
