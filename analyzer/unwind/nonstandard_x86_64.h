/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of functions that ORC has nothing to say of: STACK_FRAME_NON_STANDARD(), such as __crash_kexec(). */
#ifndef LOCKDUMP_NONSTANDARD_X86_64_H
#define LOCKDUMP_NONSTANDARD_X86_64_H

#include "unwind/unwind.h"

struct nonstandard_frame {
	uint64_t return_at; /* address of the return address */
	uint64_t bp_at; /* address of the caller's rbp, 0 if the function did not push it */
	bool proven; /* the function's prologue says so, and the code before the return address calls it */
};

/*
 * Finds the frame of the function that @pc is in (a return address, unless the function was @interrupted there)
 * and whose body runs with stack pointer @sp.
 */
struct error *nonstandard_frame(struct unwinder *unwinder, uint64_t pc, bool interrupted,
				uint64_t sp, struct nonstandard_frame *ret);

#endif
