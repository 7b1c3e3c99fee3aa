// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks: a struct pt_regs at FUZZ_VA, and three stacks behind each other, so that a short input has all of them:
 *
 *	FUZZ_VA - 0x3c00	the task's, up to FUZZ_VA + 0x400
 *	FUZZ_VA + 0x400		of interrupts
 *	FUZZ_VA + 0x600		of NMIs
 */
#include <string.h>

#include "fuzz.h"
#include "unwind/unwind.h"

#define TASK	  (FUZZ_VA - 0x3c00)
#define PER_CPU	  0xffff888010000000ull
#define NR_PTREGS 21

static void use(struct kernel *kernel, struct error *err, struct stack *stack)
{
	fuzz_ok(err);
	for (size_t i = 0; i < stack->frames.count; i++)
		symbols_lookup(&kernel->symbols, stack->frames.data[i].pc);
	stack_deinit(stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct registers registers = {};
	struct stack stack;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/unwind.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	if (fuzz_ok(memory_read(&kernel->memory, FUZZ_VA, registers.values, NR_PTREGS * 8)))
		use(kernel, unwind_running(&kernel->unwinder, &registers, TASK, PER_CPU, &stack),
		    &stack);
	use(kernel, unwind_sleeping(&kernel->unwinder, FUZZ_VA + NR_PTREGS * 8, TASK, &stack),
	    &stack);
	return 0;
}
