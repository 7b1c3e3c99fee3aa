// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/unwind.h"

#include <string.h>

#include "dump/list.h"
#include "unwind/return_hooks.h"

#define MIN_THREAD_SIZE 4096
#define MAX_THREAD_SIZE (1u << 20)
#define MAX_TRIES	16 /* tasks that are asked for it */

static const struct unwind_arch *const archs[] = { &unwind_arch_x86_64 };

/* Symbols that tell it may be lost; every task's stack, but the first's, is a mapping with so many pages. */
static bool thread_size_of_any(const struct unwinder *unwinder, uint64_t *ret)
{
	struct member tasks, area, pages;
	const struct member_wanted wanted[] = {
		{ "task_struct", "tasks", &tasks },
		{ "task_struct", "stack_vm_area", &area },
		{ "vm_struct", "nr_pages", &pages },
	};
	struct memory *memory = unwinder->memory;
	uint64_t head = unwinder->symbols->at[KSYM_init_task], vm, nr_pages = 0;
	struct list_walk walk;

	struct error *err = types_resolve(unwinder->symbols->types, wanted, 3);
	if (err || !head) {
		error_destroy(err);
		return false;
	}
	list_walk_init(&walk, memory, head + tasks.offset, tasks.offset);
	for (int tries = 0; !nr_pages && tries < MAX_TRIES && list_walk_next(&walk, &err);
	     tries++) {
		struct error *its = member_read(memory, walk.object, &area, &vm);
		if (!its && vm)
			its = member_read(memory, vm, &pages, &nr_pages);
		error_destroy(its);
	}
	error_destroy(err);
	*ret = nr_pages * PAGE_SIZE;
	return nr_pages && nr_pages <= MAX_THREAD_SIZE / PAGE_SIZE;
}

/*
 * THREAD_SIZE is no symbol, but the first task's stack has it: INIT_TASK_DATA, vmlinux.lds.h (0500871f21b2);
 * renamed in 6.10 (8f69cba096b5).
 */
static struct error *find_thread_size(struct unwinder *unwinder)
{
	const uint64_t *at = unwinder->symbols->at;
	uint64_t start = at[KSYM___start_init_stack], end = at[KSYM___end_init_stack];
	struct error *err = NULL;

	if (!start || !end) {
		err = symbols_address(unwinder->symbols, KSYM___start_init_task, &start);
		if (!err)
			err = symbols_address(unwinder->symbols, KSYM___end_init_task, &end);
	}
	if (err) {
		if (!thread_size_of_any(unwinder, &unwinder->thread_size))
			return err;
		error_destroy(err);
		return NULL;
	}
	unwinder->thread_size = end - start;
	if (end - start < MIN_THREAD_SIZE || end - start > MAX_THREAD_SIZE)
		return error_fault(ERROR_CORRUPT, start, "a task's stack of %llu bytes",
				   (unsigned long long)(end - start));
	return NULL;
}

/*
 * Without ORC a kernel has frame pointers: CONFIG_UNWINDER_FRAME_POINTER; with an ORC that is not known neither, nor
 * with one that is only lost.
 */
static void choose_method(struct unwinder *unwinder)
{
	struct symbols *symbols = unwinder->symbols;
	struct error *err = orc_init(&unwinder->orc, symbols);
	bool lost = symbols->kallsyms.error || types_sizeof(symbols->types, "orc_entry");

	if (!err) {
		unwinder->method = UNWIND_ORC;
	} else if (err->class == ERROR_NOT_FOUND && !lost) {
		unwinder->method = UNWIND_FRAME_POINTERS;
		error_destroy(err);
	} else {
		unwinder->method = UNWIND_GUESS;
		unwinder->error = err;
	}
}

const struct unwind_arch *unwind_arch_find(uint32_t machine)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (archs[i]->machine == machine)
			return archs[i];
	return NULL;
}

struct error *unwinder_init(struct unwinder *unwinder, struct symbols *symbols, uint16_t machine)
{
	memset(unwinder, 0, sizeof(*unwinder));
	unwinder->symbols = symbols;
	unwinder->memory = symbols->memory;
	unwinder->arch = unwind_arch_find(machine);
	if (!unwinder->arch)
		return error_create(ERROR_OTHER, "stacks of ELF machine %u cannot be unwound",
				    machine);
	struct error *err = find_thread_size(unwinder);
	if (!err)
		err = unwinder->arch->init(unwinder);
	if (err) {
		unwinder->error = error_prefix(err, "no stacks");
		return NULL;
	}
	unwinder->usable = true;
	return_hooks_init(unwinder);
	choose_method(unwinder);
	return NULL;
}

void unwinder_deinit(struct unwinder *unwinder)
{
	error_destroy(unwinder->error);
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
		/* On a stack that is not known that is a guess. User mode's is there for an entry's first instructions. */
		if (!area && (int64_t)frame->sp < 0)
			place->reliable = false;
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

uint64_t unwind_task_stack(struct unwinder *unwinder, uint64_t sp, uint64_t per_cpu)
{
	if (!unwinder->usable)
		return 0;
	unwinder->areas[0] = (struct stack_area){};
	unwinder->nr_areas = 1;
	error_destroy(unwinder->arch->cpu_areas(unwinder, per_cpu));
	return unwind_area(unwinder, sp) ? 0 : sp - sp % unwinder->thread_size;
}

struct error *unwind_running(struct unwinder *unwinder, const struct registers *registers,
			     uint64_t task_stack, uint64_t per_cpu, struct stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!unwinder->usable)
		return NULL;
	set_task_area(unwinder, task_stack);
	struct error *err = unwinder->arch->cpu_areas(unwinder, per_cpu);
	return err ? err : unwinder->arch->walk(unwinder, registers, ret);
}

struct error *unwind_sleeping(struct unwinder *unwinder, uint64_t sp, uint64_t task_stack,
			      struct stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!unwinder->usable)
		return NULL;
	set_task_area(unwinder, task_stack);
	return unwinder->arch->walk_sleeping(unwinder, sp, ret);
}

struct error *unwind_add_user(struct unwinder *unwinder, uint64_t task_stack, struct stack *stack)
{
	size_t count = stack->frames.count;
	struct registers registers;

	if (!unwinder->usable || (count && stack->frames.data[count - 1].section == SECTION_USER))
		return NULL;
	set_task_area(unwinder, task_stack);
	if (!unwinder->arch->user_registers(unwinder, &registers))
		return NULL;
	const struct frame frame = {
		.pc = registers.values[unwinder->arch->pc],
		.sp = registers.values[unwinder->arch->sp],
		.section = SECTION_USER,
		.interrupted = true,
		.reliable = true,
	};
	return unwind_add_frame(unwinder, stack, &frame);
}

bool unwind_find_registers(struct unwinder *unwinder, uint64_t task_stack, uint64_t per_cpu,
			   struct registers *ret)
{
	if (!unwinder->usable)
		return false;
	set_task_area(unwinder, task_stack);
	error_destroy(unwinder->arch->cpu_areas(unwinder, per_cpu));
	return unwinder->arch->find_registers(unwinder, per_cpu, ret);
}

struct error *unwind_sleeping_registers(struct unwinder *unwinder, uint64_t sp, uint64_t task_stack,
					struct registers *ret)
{
	if (!unwinder->usable)
		return error_copy(unwinder->error);
	set_task_area(unwinder, task_stack);
	return unwinder->arch->sleeping_registers(unwinder, sp, ret);
}

struct error *unwind_frame_registers(struct unwinder *unwinder, const struct frame *frame,
				     struct registers *ret)
{
	return unwinder->arch->read_registers(unwinder, frame->registers_at, ret);
}

void stack_deinit(struct stack *stack)
{
	vector_deinit(&stack->frames);
	error_destroy(stack->error);
}
