/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of CPUs that did not answer when the machine crashed, and whose the registers are of those that did. */
#ifndef LOCKDUMP_STATE_REGISTERS_H
#define LOCKDUMP_STATE_REGISTERS_H

#include "state/cpus.h"
#include "state/record.h"

/*
 * For CPUs without registers: those of the flight record's last sample, if the stall that it belongs to still went
 * on; else what is found on their stacks. And for a CPU that was in the middle of a task switch, the task whose
 * stack it was on becomes its current one. @record may be NULL.
 */
void registers_complete(struct kernel *kernel, struct cpus *cpus, const struct record *record);

#endif
