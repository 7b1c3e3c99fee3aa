// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a CPU that left none, out of its stacks. Two places are known
 * to hold them while they are in use: the NMI's, whose stack has a word that
 * says that one is going on (arch/x86/entry/entry_64.S, asm_exc_nmi), and those
 * that __irq_regs points to in an interrupt. Else a struct pt_regs is looked
 * for: what an interrupt left behind lies below the stack pointer and may be
 * overwritten any time, so that the deepest one that still leads to the
 * stack's end, each return address behind a call of the function before it, is
 * the newest. Where there is none, the newest calls (inward_x86_64.c) have to do.
 */
#include <string.h>

#include "unwind/callsite_x86_64.h"
#include "unwind/walk_x86_64.h"

#define REGISTERS_SIZE (NR_REGISTERS * WORD)

/* arch/x86/include/asm/segment.h; FRED uses the upper bits of these words for more. */
#define SELECTOR_MASK 0xffff
#define KERNEL_CS     0x10
#define KERNEL_DS     0x18
#define USER_CS	      0x33
#define USER32_CS     0x23
#define FLAGS_ALWAYS  0x2
#define FLAGS_NEVER   0xffffffffffc08028ull

/* Bytes from the end of an NMI's stack. */
#define NMI_IRET      40
#define NMI_EXECUTING 56
#define NMI_REGISTERS 264

#define MAX_STACK      (1u << 20)
#define MAX_CANDIDATES 64 /* more than interrupts can have left on one stack */

/* The stack grows down to a multiple of 16 before registers are pushed. */
#define STACK_ALIGN 16

/* Since 6.9 two words may be free at the top: TOP_OF_KERNEL_STACK_PADDING with FRED (65c9cc9e2c14). */
static const uint64_t paddings[] = { 0, 16 };
#define NR_PADDINGS (sizeof(paddings) / sizeof(paddings[0]))

static bool read_registers(const struct unwinder *unwinder, uint64_t address, struct registers *ret)
{
	*ret = (struct registers){ .known = ALL_REGISTERS };
	struct error *err = x86_64_read_words(unwinder, address, ret->values, NR_REGISTERS);
	bool ok = !err;

	error_destroy(err);
	return ok;
}

static bool are_kernel_registers(struct unwinder *unwinder, const struct registers *registers)
{
	const uint64_t *values = registers->values;
	uint64_t ss = values[SS] & SELECTOR_MASK;

	return (values[CS] & SELECTOR_MASK) == KERNEL_CS && (ss == KERNEL_DS || !ss) &&
	       values[FLAGS] & FLAGS_ALWAYS && !(values[FLAGS] & FLAGS_NEVER) &&
	       unwind_area(unwinder, values[SP]) && code_is(unwinder, values[IP]);
}

static bool are_user_registers(const struct registers *registers)
{
	uint64_t cs = registers->values[CS] & SELECTOR_MASK;

	return (cs == USER_CS || cs == USER32_CS) &&
	       (registers->values[SS] & SELECTOR_MASK & 3) == 3 &&
	       registers->values[FLAGS] & FLAGS_ALWAYS;
}

/* Where user mode's registers are pushed, whatever is there now. */
static uint64_t entry_registers(const struct unwinder *unwinder, size_t padding)
{
	return unwinder->areas[0].end - paddings[padding] - REGISTERS_SIZE;
}

bool x86_64_is_entry(const struct unwinder *unwinder, uint64_t registers_at)
{
	for (size_t i = 0; i < NR_PADDINGS; i++)
		if (registers_at == entry_registers(unwinder, i))
			return true;
	return false;
}

bool x86_64_user_registers(struct unwinder *unwinder, struct registers *ret)
{
	for (size_t i = 0; i < NR_PADDINGS; i++)
		if (read_registers(unwinder, entry_registers(unwinder, i), ret) &&
		    are_user_registers(ret))
			return true;
	return false;
}

static const struct stack_area *find_area(const struct unwinder *unwinder,
					  enum frame_section section)
{
	for (unsigned int i = 0; i < unwinder->nr_areas; i++)
		if (unwinder->areas[i].section == section)
			return &unwinder->areas[i];
	return NULL;
}

static bool in_nmi(struct unwinder *unwinder, struct registers *ret)
{
	const struct stack_area *area = find_area(unwinder, SECTION_NMI);
	uint64_t executing, ip;

	if (!area)
		return false;
	struct error *err =
		memory_read_u64(unwinder->memory, area->end - NMI_EXECUTING, &executing);
	if (!err)
		err = memory_read_u64(unwinder->memory, area->end - NMI_IRET, &ip);
	bool ok = !err && executing == 1 &&
		  read_registers(unwinder, area->end - NMI_REGISTERS, ret) &&
		  ret->values[IP] == ip && are_kernel_registers(unwinder, ret);

	error_destroy(err);
	if (ok)
		ret->exact_at = area->end - NMI_REGISTERS;
	return ok;
}

static bool in_interrupt(struct unwinder *unwinder, uint64_t per_cpu, struct registers *ret)
{
	uint64_t variable = unwinder->symbols->at[KSYM___irq_regs], at = 0;

	if (!variable)
		return false;
	struct error *err = memory_read_u64(unwinder->memory, variable + per_cpu, &at);
	bool ok = !err && at && read_registers(unwinder, at, ret) &&
		  (are_kernel_registers(unwinder, ret) || are_user_registers(ret));

	error_destroy(err);
	if (ok)
		ret->exact_at = at;
	return ok;
}

/* Whether the stack bears the registers out, each frame up to its end. */
static bool is_borne_out(struct unwinder *unwinder, const struct registers *registers)
{
	struct stack stack = {};
	struct walk w = {
		.pc = registers->values[IP],
		.sp = registers->values[SP],
		.bp = registers->values[BP],
		.interrupted = true,
		.reliable = true,
		.doubted = true,
		.has_registers = true,
		.registers = *registers,
	};
	struct error *err = x86_64_walk_from(unwinder, &w, &stack);
	bool ok = !err && stack.frames.count &&
		  stack.frames.data[stack.frames.count - 1].reliable && w.reliable;

	stack_deinit(&stack);
	error_destroy(err);
	return ok;
}

/* Finds registers that were pushed on @area by an interrupt of code that ran on it. */
static bool scan(struct unwinder *unwinder, const struct stack_area *area, struct registers *ret)
{
	uint64_t size = area->end - area->start;
	uint64_t *words = size <= MAX_STACK ? malloc(size) : NULL;
	unsigned int candidates = 0;
	bool found = false;

	if (!words)
		return false;
	struct error *err = memory_read(unwinder->memory, area->start, words, size);
	for (uint64_t i = 0; !err && i + NR_REGISTERS < size / WORD; i++) {
		uint64_t behind = area->start + (i + NR_REGISTERS) * WORD;
		struct registers registers = { .known = ALL_REGISTERS };
		if (words[i + SP] - behind >= STACK_ALIGN)
			continue;
		memcpy(registers.values, words + i, REGISTERS_SIZE);
		if (!are_kernel_registers(unwinder, &registers))
			continue;
		if (++candidates > MAX_CANDIDATES)
			break;
		found = is_borne_out(unwinder, &registers);
		if (found) {
			*ret = registers;
			break;
		}
	}
	error_destroy(err);
	free(words);
	return found;
}

/* What a return address into an interrupt's entry, or from the interrupts' stack, has called. */
static bool find_calls(struct unwinder *unwinder, const struct stack_area *irq,
		       struct registers *ret)
{
	/* The highest word of the interrupts' stack is the stack pointer before. */
	return irq && x86_64_inward(unwinder, irq->end - 2 * WORD, ret);
}

/* What the task has called since it came into the kernel, or began in it. */
static bool find_calls_of_task(struct unwinder *unwinder, struct registers *ret)
{
	*ret = (struct registers){};
	for (size_t i = 0; i < NR_PADDINGS; i++)
		if (x86_64_inward(unwinder, entry_registers(unwinder, i) - WORD, ret))
			return true;
	return false;
}

bool x86_64_find_registers(struct unwinder *unwinder, uint64_t per_cpu, bool irq_stack_in_use,
			   struct registers *ret)
{
	const struct stack_area *irq = irq_stack_in_use ? find_area(unwinder, SECTION_IRQ) : NULL;

	/* What was interrupted is sure; what interrupted it is a guess, if there is one. */
	if (in_nmi(unwinder, ret) || in_interrupt(unwinder, per_cpu, ret)) {
		bool nmi = unwind_area(unwinder, ret->exact_at) == find_area(unwinder, SECTION_NMI);
		if (nmi || !find_calls(unwinder, irq, ret))
			x86_64_inward(unwinder, ret->exact_at - WORD, ret);
		return true;
	}
	bool found = (irq && scan(unwinder, irq, ret)) ||
		     scan(unwinder, &unwinder->areas[0], ret) || find_calls(unwinder, irq, ret) ||
		     find_calls_of_task(unwinder, ret) || x86_64_user_registers(unwinder, ret);
	ret->trust = REGISTERS_GUESSED;
	return found;
}
