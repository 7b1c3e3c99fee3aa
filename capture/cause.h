/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What triggers, as the flight record has it in one CPU's slot. The kernel's own trigger looks for the same:
 * bpf/trigger.bpf.c.
 */
#ifndef LOCKDUMP_CAUSE_H
#define LOCKDUMP_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

struct cause {
	enum record_kind kind;
	uint32_t cpu; /* that it is about */
	uint32_t seen_by; /* whose slot has it */
	uint64_t onset_ns;
	uint64_t last_ns; /* the last look that saw it */
	uint64_t lasted_ns;
	uint32_t pid; /* of the CPU's task */
	char comm[16];
};

/* What to look for. */
struct cause_wanted {
	uint32_t kinds; /* 1 << enum record_kind */
	uint64_t after_ns; /* it has lasted that long */
	uint64_t silent_ns; /* as stall_state() has it */
};

/* Whether there is one in @cpu's @slot that goes on. */
bool cause_find(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, struct cause *ret);

/* As the record says it: "no task switch for 12.003 s, in COMM (pid PID)". */
void cause_describe(const struct cause *cause, char *ret, size_t size);

#endif
