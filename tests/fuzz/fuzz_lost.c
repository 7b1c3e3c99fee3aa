// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel of which pages are missing, by the input's SYMBOL(holes): its symbols and types, which are all in the
 * input, and what else tells of them.
 */
#include "fuzz.h"

static void look_up(struct symbols *symbols)
{
	struct member member;

	for (size_t i = 0; i < NR_KSYM; i++)
		if (symbols->at[i])
			symbols_lookup(symbols, symbols->at[i] + 1);
	symbols_lookup(symbols, FUZZ_VA);
	if (symbols->types)
		types_member(symbols->types, "task_struct", "pid", &member);
}

static void unwind(struct unwinder *unwinder)
{
	struct registers registers = {};
	struct stack stack;

	fuzz_ok(unwind_running(unwinder, &registers, FUZZ_VA, FUZZ_VA, &stack));
	stack_deinit(&stack);
	fuzz_ok(unwind_sleeping(unwinder, FUZZ_VA, FUZZ_VA, &stack));
	fuzz_ok(unwind_add_user(unwinder, FUZZ_VA, &stack));
	stack_deinit(&stack);
	unwind_find_registers(unwinder, FUZZ_VA, FUZZ_VA, &registers);
	fuzz_ok(unwind_sleeping_registers(unwinder, FUZZ_VA, FUZZ_VA, &registers));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct kernel_source source = {};
	struct kernel *kernel;

	if (!base)
		base = fuzz_base_kernel(NULL);
	source.vmcore = fuzz_vmcore(base, data, size);
	if (!fuzz_ok(kernel_open(&source, &kernel)))
		return 0;
	for (size_t i = 0; i < kernel->lacks.count; i++)
		fuzz_ok(error_copy(kernel->lacks.data[i]));
	look_up(&kernel->symbols);
	if (kernel->can_unwind)
		unwind(&kernel->unwinder);
	kernel_close(kernel);
	return 0;
}
