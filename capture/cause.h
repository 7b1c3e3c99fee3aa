/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong, as the flight record has it in one CPU's slot: it makes an incident, and may trigger. The kernel's
 * own trigger looks for the same: bpf/trigger.bpf.c.
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
	uint32_t pid; /* of the CPU's task, or the one that hangs; 0: not known */
	char comm[16];
};

/* What to look for. */
struct cause_wanted {
	uint32_t kinds; /* 1 << enum record_kind */
	uint64_t after_ns[RECORD_NR_KINDS]; /* it has lasted that long */
	uint64_t silent_ns; /* as stall_state() has it */
};

/* How long after the last look that saw it a condition is believed to go on: looks come each second. */
#define CAUSE_FRESH_NS 3000000000ull

/* Calls @found with each that is in @cpu's @slot and goes on, until it returns false. */
void cause_each(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, bool (*found)(const struct cause *cause, void *arg), void *arg);

/*
 * The same for those that have ended, if they are as long, out of the events with numbers beyond @number. A CPU's
 * events are a ring: the oldest may be gone. Returns the number to go on from: an event that is just being written
 * is for the next time.
 */
uint64_t cause_each_ended(const struct record_slot *slot, uint32_t cpu,
			  const struct cause_wanted *wanted, uint64_t number,
			  bool (*found)(const struct cause *cause, void *arg), void *arg);

/* Whether there is one; if so, the first. */
bool cause_find(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, struct cause *ret);

/* As options, metrics and the journal have it: "soft-lockup". */
const char *cause_kind_name(enum record_kind kind);

/* Whether it is one of the whole machine, which any CPU may see, and not one of a CPU. */
bool cause_is_machines(enum record_kind kind);

/* As the record says it: "no task switch for 12.003 s, in COMM (pid PID)". */
void cause_describe(const struct cause *cause, char *ret, size_t size);

#endif
