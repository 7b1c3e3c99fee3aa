/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of every frame of a stack, as far as the inner frames kept them: by DWARF's call frame information. */
#ifndef LOCKDUMP_FRAME_REGISTERS_H
#define LOCKDUMP_FRAME_REGISTERS_H

#include "symbols/debuginfo.h"
#include "unwind/unwind.h"

struct frame_registers {
	struct registers registers;
	uint64_t cfa; /* the stack pointer before the frame was called */
	bool has_cfa;
};

/*
 * Fills @ret, which has room for all frames of @stack. @innermost: what the walk began with. What cannot be recovered
 * is not known; nothing is guessed.
 */
void frame_registers_recover(struct unwinder *unwinder, struct debuginfo *debuginfo,
			     const struct stack *stack, const struct registers *innermost,
			     struct frame_registers *ret);

/* The register with DWARF's @number; false if it is not known. */
bool frame_register(const struct unwind_arch *arch, const struct frame_registers *frame,
		    unsigned int number, uint64_t *ret);

#endif
