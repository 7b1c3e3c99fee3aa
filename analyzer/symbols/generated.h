/* SPDX-License-Identifier: GPL-2.0-only */
/* Code that the kernel made while it ran, with the names that /proc/kallsyms gives it: BPF programs, trampolines. */
#ifndef LOCKDUMP_GENERATED_H
#define LOCKDUMP_GENERATED_H

#include "base/arena.h"
#include "base/vector.h"
#include "dump/memory.h"
#include "symbols/types.h"

struct generated_code {
	uint64_t start, end;
	const char *name;
};

struct generated {
	VECTOR(struct generated_code) list; /* by address */
};

/* Heads of the lists that they stand on; 0: this kernel has no such list. */
struct generated_lists {
	uint64_t bpf_kallsyms, ftrace_ops_trampoline_list;
	uint64_t kprobe_insn_slots, kprobe_optinsn_slots;
};

/* A list that breaks off ends it: what was found is there, and the error says why no more. */
struct error *generated_init(struct generated *generated, struct memory *memory,
			     const struct types *types, const struct generated_lists *lists,
			     struct arena *arena);
void generated_deinit(struct generated *generated);

/* What covers @address, or NULL. */
const struct generated_code *generated_find(const struct generated *generated, uint64_t address);

#endif
