/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks, walked out of a made dump. A few functions, their ORC entries and the words of a stack are a test.
 *
 *	the task's stack	0xffffc90000000000 to ...4000
 *	the IRQ stack		0xffffc90000010000 to ...14000
 *	the NMI stack		0xfffffe0000001000 to ...2000
 *
 * start() at 0xffffffff81000100 is the outermost function, foo() at ...200 and bar() at ...300 have frames of 32
 * bytes; asm_irq() at ...400 and asm_partial() at ...500 are entries of interrupts, with all registers and with
 * the last five; on_irq_stack() at ...600 changes from the task's stack to the interrupts'.
 */
#ifndef TESTS_WALKED_H
#define TESTS_WALKED_H

#include "make_kernel.h"
#include "unwind/unwind.h"

#define TASK	0xffffc90000000000ull
#define PER_CPU 0xffff888000100000ull

struct walked {
	struct kernel *kernel;
	struct stack stack;
	struct error *err;
};

/* The machine, and what @text changes. Begins it with "without ORC\n", the kernel has frame pointers. */
struct kernel *walked_kernel(const char *text);

/* Walks a running task from these registers ("rip=... rsp=..."), on the stacks that @text writes. */
struct walked walk(const char *text, const char *registers_text);
void walked_end(struct walked *w);

/*
 * Compares with "SECTION FUNCTION+OFFSET" a line, '?' before a function that was guessed, and frees all.
 * @says: of the error at its end, NULL if there is none.
 */
void assert_walked(struct walked w, const char *expected, const char *says);

/* Its value, which must be known. */
uint64_t walked_register(struct kernel *kernel, const struct registers *registers,
			 const char *name);
void walked_set(struct kernel *kernel, struct registers *registers, const char *name,
		uint64_t value);

#endif
