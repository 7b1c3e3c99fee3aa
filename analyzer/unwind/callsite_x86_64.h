/* SPDX-License-Identifier: GPL-2.0-only */
/* What the code around a pc says of it: whether it is code, and what called from there. */
#ifndef LOCKDUMP_CALLSITE_X86_64_H
#define LOCKDUMP_CALLSITE_X86_64_H

#include "unwind/unwind.h"

enum call {
	CALL_NONE, /* no call ends there: that is no return address */
	CALL_INDIRECT, /* through a register or memory */
	CALL_DIRECT,
	CALL_UNREADABLE, /* the code is not in the dump */
};

/* Whether @pc is in the core kernel's or a module's code, or in that of a BPF program that has a name. */
bool code_is(struct unwinder *unwinder, uint64_t pc);

/* Whether @pc is in a BPF program or trampoline: such code keeps frame pointers. */
bool code_is_bpf(struct unwinder *unwinder, uint64_t pc);

/* The call in front of @address. *@target: what a direct one calls. */
enum call code_call_before(struct unwinder *unwinder, uint64_t address, uint64_t *target);

/*
 * The call in front of @address, which may be one of the code around @inner; *@proven: it is. One through a retpoline
 * is indirect.
 */
enum call code_call_of(struct unwinder *unwinder, uint64_t address, uint64_t inner, bool *proven);

/* Whether a call of @target calls the function that begins at @start: perhaps over its padding or its endbr64. */
bool code_calls(uint64_t target, uint64_t start);

#endif
