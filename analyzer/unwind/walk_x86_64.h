/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of x86-64's unwinder share: the order of its registers, and the walk's state. */
#ifndef LOCKDUMP_WALK_X86_64_H
#define LOCKDUMP_WALK_X86_64_H

#include "unwind/unwind.h"

#define WORD 8

/* struct pt_regs */
enum {
	R15,
	R14,
	R13,
	R12,
	BP,
	BX,
	R11,
	R10,
	R9,
	R8,
	AX,
	CX,
	DX,
	SI,
	DI,
	ORIG_AX,
	IP,
	CS,
	FLAGS,
	SP,
	SS,
	NR_REGISTERS
};

#define ALL_REGISTERS ((1ull << NR_REGISTERS) - 1)

/* Where a walk is: at a frame's pc, with the stack pointer there. */
struct walk {
	uint64_t pc, sp, bp;
	uint64_t registers_at; /* of the struct pt_regs that pc is from, or 0 */
	bool interrupted; /* pc is no return address */
	bool user; /* pc is user mode's */
	bool reliable;
	uint64_t exact_at; /* see struct registers */
	bool doubted; /* the registers that it began with may be too old for the stack */
	bool has_registers; /* those of the last pt_regs that was come by: get_reg() */
	struct registers registers;
};

bool x86_64_is_user(const struct registers *registers);

/* Stack words; only stacks are read, whatever the registers say. */
struct error *x86_64_read_words(const struct unwinder *unwinder, uint64_t address, uint64_t *words,
				size_t count);

/* Walks outwards from where @w is. The error says why the walk did not come to its end, or had to guess. */
struct error *x86_64_walk_from(struct unwinder *unwinder, struct walk *w, struct stack *stack);

/* Goes to the next word of the stack that can be a return address, as a guess. False if there is none. */
bool x86_64_guess(struct unwinder *unwinder, struct walk *w);

/*
 * Where a function with a frame pointer has its caller, in ORC's terms; @ret is ORC_TYPE_END_OF_STACK where the
 * chain of frames ends. False if it is no such function, or not to be told here. @doubtful_ret: the frame may be that
 * of its caller, which is left out then.
 */
bool x86_64_frame_pointer(struct unwinder *unwinder, const struct walk *w, struct orc_entry *ret,
			  bool *doubtful_ret);

/* Whether a struct pt_regs there is what the task came into the kernel with. */
bool x86_64_is_entry(const struct unwinder *unwinder, uint64_t registers_at);

/* The registers of user mode, at the top of the task's stack; false if it has none, being a kernel thread. */
bool x86_64_user_registers(struct unwinder *unwinder, struct registers *ret);

/*
 * Where the calls have come to that began with the one whose return address is at @at: the beginning of the
 * innermost function, as registers. @ret->exact_at is kept. False if there is no return address.
 */
bool x86_64_inward(struct unwinder *unwinder, uint64_t at, struct registers *ret);

/* Registers of the CPU with @per_cpu, out of its stacks. */
bool x86_64_find_registers(struct unwinder *unwinder, uint64_t per_cpu, bool irq_stack_in_use,
			   struct registers *ret);

#endif
