// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks: a struct pt_regs at FUZZ_VA, and three stacks behind each other, so that a short input has all of them:
 *
 *	FUZZ_VA - 0x3c00	the task's, up to FUZZ_VA + 0x400
 *	FUZZ_VA + 0x400		of interrupts
 *	FUZZ_VA + 0x600		of NMIs
 *	FUZZ_VA + 0x800		the task itself: return addresses that tracers have replaced
 *	FUZZ_VA + 0x240		where the registers of the last interrupt would be
 *
 * By ORC, by frame pointers, and by guessing.
 */
#include <string.h>

#include "fuzz.h"
#include "unwind/unwind.h"

#define TASK	    (FUZZ_VA - 0x3c00)
#define PER_CPU	    0xffff888010000000ull
#define NR_PTREGS   21
#define SLEEPING_SP (FUZZ_VA + NR_PTREGS * 8)

static void use(struct kernel *kernel, struct error *err, struct stack *stack)
{
	struct registers registers;

	fuzz_ok(err);
	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct frame *frame = &stack->frames.data[i];
		symbols_lookup(&kernel->symbols, frame->pc);
		if (frame->registers_at)
			fuzz_ok(unwind_frame_registers(&kernel->unwinder, frame, &registers));
	}
	stack_deinit(stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct registers registers = {}, found;
	struct stack stack;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/unwind.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	struct unwinder *unwinder = &kernel->unwinder;
	bool running =
		fuzz_ok(memory_read(&kernel->memory, FUZZ_VA, registers.values, NR_PTREGS * 8));
	registers.known = UINT64_MAX;
	unwinder->task = FUZZ_VA + 0x800;
	for (enum unwind_method method = UNWIND_ORC; method <= UNWIND_GUESS; method++) {
		unwinder->method = method;
		if (running)
			use(kernel, unwind_running(unwinder, &registers, TASK, PER_CPU, &stack),
			    &stack);
		use(kernel, unwind_sleeping(unwinder, SLEEPING_SP, TASK, &stack), &stack);
		if (unwind_find_registers(unwinder, TASK, PER_CPU, &found))
			use(kernel, unwind_running(unwinder, &found, TASK, PER_CPU, &stack),
			    &stack);
	}
	memset(&stack, 0, sizeof(stack));
	use(kernel, unwind_add_user(unwinder, TASK, &stack), &stack);
	fuzz_ok(unwind_sleeping_registers(unwinder, SLEEPING_SP, TASK, &registers));
	return 0;
}
