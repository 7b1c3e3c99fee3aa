// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/unwind.h"

#include <string.h>

static const struct unwind_arch *const archs[] = { &unwind_arch_x86_64 };

struct error *unwinder_init(struct unwinder *unwinder, struct symbols *symbols, uint16_t machine,
			    const struct vmcoreinfo *info)
{
	memset(unwinder, 0, sizeof(*unwinder));
	unwinder->symbols = symbols;
	unwinder->memory = symbols->memory;
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (archs[i]->machine == machine)
			unwinder->arch = archs[i];
	if (!unwinder->arch)
		return error_create(ERROR_OTHER, "stacks of ELF machine %u cannot be unwound",
				    machine);
	/* union thread_union is exactly a task's stack: include/linux/sched.h */
	unwinder->thread_size = types_sizeof(symbols->types, "thread_union");
	if (!unwinder->thread_size)
		return error_create(ERROR_NOT_FOUND, "BTF: no union thread_union");
	struct error *err = orc_init(&unwinder->orc, symbols, info);
	return err ? err : unwinder->arch->init(unwinder);
}

const struct stack_area *unwind_area(const struct unwinder *unwinder, uint64_t sp)
{
	for (unsigned int i = 0; i < unwinder->nr_areas; i++)
		if (sp - unwinder->areas[i].start <
		    unwinder->areas[i].end - unwinder->areas[i].start)
			return &unwinder->areas[i];
	return NULL;
}

struct error *unwind_add_frame(struct unwinder *unwinder, struct stack *stack,
			       const struct frame *frame)
{
	if (stack->frames.count >= UNWIND_MAX_FRAMES)
		return error_fault(ERROR_CORRUPT, frame->sp, "0x%llx: a stack of over %u frames",
				   (unsigned long long)frame->sp, UNWIND_MAX_FRAMES);
	struct frame *place = vector_push(&stack->frames);
	if (!place)
		return &error_no_memory;
	*place = *frame;
	if (frame->section != SECTION_USER) {
		const struct stack_area *area = unwind_area(unwinder, frame->sp);
		place->section = area ? area->section : SECTION_TASK;
	}
	return NULL;
}

static void set_task_area(struct unwinder *unwinder, uint64_t task_stack)
{
	unwinder->areas[0] = (struct stack_area){
		.start = task_stack,
		.end = task_stack + unwinder->thread_size,
		.section = SECTION_TASK,
	};
	unwinder->nr_areas = 1;
}

struct error *unwind_running(struct unwinder *unwinder, const struct registers *registers,
			     uint64_t task_stack, uint64_t per_cpu, struct stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	set_task_area(unwinder, task_stack);
	struct error *err = unwinder->arch->cpu_areas(unwinder, per_cpu);
	return err ? err : unwinder->arch->walk(unwinder, registers, ret);
}

struct error *unwind_sleeping(struct unwinder *unwinder, uint64_t sp, uint64_t task_stack,
			      struct stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	set_task_area(unwinder, task_stack);
	return unwinder->arch->walk_sleeping(unwinder, sp, ret);
}

void stack_deinit(struct stack *stack)
{
	vector_deinit(&stack->frames);
	error_destroy(stack->error);
}
