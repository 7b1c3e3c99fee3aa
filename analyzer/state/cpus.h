/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUs: what each was running, with which registers. */
#ifndef LOCKDUMP_CPUS_H
#define LOCKDUMP_CPUS_H

#include "state/kernel.h"

enum registers_from {
	REGISTERS_NONE,
	REGISTERS_CRASH_NOTES, /* what the CPU saved when it was stopped */
	REGISTERS_ELF_NOTE, /* the dump's n-th note, where there are no crash_notes */
	REGISTERS_RECORD, /* the flight record's newest sample: the CPU did not answer */
	REGISTERS_SCAN, /* found on its stacks: it did not answer */
	REGISTERS_SLEEPING, /* the task was switched out */
};

struct cpu {
	uint32_t number;
	bool online;
	uint64_t per_cpu; /* offset of its per-CPU variables */
	uint64_t current; /* task_struct that it was running; 0: unknown, like all that follows */
	uint64_t idle; /* task_struct of its idle task */
	uint32_t nr_running;
	enum registers_from registers_from; /* NONE: none could be had */
	struct registers registers;
};

struct cpus {
	VECTOR(struct cpu) list; /* every possible CPU that has per-CPU memory */
	struct error *error; /* why one of them, or the list, could not be read, or NULL */
};

/* Reads the CPUs. What cannot be read ends in cpus->error. */
void cpus_init(struct cpus *cpus, struct kernel *kernel);
void cpus_deinit(struct cpus *cpus);

/* The CPU with that number, or NULL. */
struct cpu *cpus_find(const struct cpus *cpus, uint32_t number);

/* Where the stack of the task begins that @cpu was running, for who cannot read its task_struct; 0: unknown. */
uint64_t cpu_task_stack(struct kernel *kernel, const struct cpu *cpu);

#endif
