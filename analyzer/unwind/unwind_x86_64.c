// SPDX-License-Identifier: GPL-2.0-only
/* What unwinding is on x86-64: its registers, its stacks, and where a walk begins. The walk: walk_x86_64.c. */
#include <elf.h>
#include <string.h>

#include "unwind/code_x86_64.h"
#include "unwind/walk_x86_64.h"

static const char *const register_names[NR_REGISTERS] = {
	"r15", "r14", "r13", "r12", "rbp",	"rbx", "r11", "r10",	"r9",  "r8", "rax",
	"rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs",  "rflags", "rsp", "ss",
};

/* System V ABI, AMD64 supplement, figure 3.36. */
static const uint8_t dwarf_registers[] = {
	AX, DX, CX, BX, SI, DI, BP, SP, R8, R9, R10, R11, R12, R13, R14, R15, IP,
};

/* struct elf_prstatus: pr_reg, whose first 21 words are struct pt_regs. */
#define PRSTATUS_REGISTERS_OFFSET 112

/* Bytes, unless the types say otherwise: asm/page_64_types.h, without KASAN. */
#define IRQ_STACK_SIZE 16384

#define MAX_INACTIVE_WORDS 16 /* struct inactive_task_frame has 7 */

/* Whether all that is wanted of the frame is in it: the types come out of the dump too. */
static bool is_inactive_frame(const struct member frame[NR_REGISTERS], uint32_t size)
{
	if (size > MAX_INACTIVE_WORDS * WORD)
		return false;
	for (size_t i = 0; i < NR_REGISTERS; i++)
		if (frame[i].offset >= size)
			return false;
	return true;
}

static struct error *x86_64_init(struct unwinder *unwinder)
{
	const struct types *types = unwinder->symbols->types;
	__typeof__(unwinder->layout.x86_64) *l = &unwinder->layout.x86_64;
	const struct member_wanted wanted[] = {
		{ "inactive_task_frame", "r15", &l->frame[R15] },
		{ "inactive_task_frame", "r14", &l->frame[R14] },
		{ "inactive_task_frame", "r13", &l->frame[R13] },
		{ "inactive_task_frame", "r12", &l->frame[R12] },
		{ "inactive_task_frame", "bx", &l->frame[BX] },
		{ "inactive_task_frame", "bp", &l->frame[BP] },
		{ "inactive_task_frame", "ret_addr", &l->frame[IP] },
		/* From 6.2 (d7b6d709a76a) to 6.14 in pcpu_hot; else a per-CPU variable of its own. */
		{ "pcpu_hot", "hardirq_stack_ptr", &l->hardirq_stack_ptr, true },
		{ "pcpu_hot", "hardirq_stack_inuse", &l->hardirq_stack_inuse, true },
		{ "cea_exception_stacks", "NMI_stack", &l->nmi, true },
		{ "cea_exception_stacks", "DF_stack", &l->df, true },
		{ "cea_exception_stacks", "DB_stack", &l->db, true },
		{ "cea_exception_stacks", "MCE_stack", &l->mce, true },
		{ "cea_exception_stacks", "VC_stack", &l->vc, true },
		{ "cpu_entry_area", "estacks", &l->estacks, true },
		{ "cpu_entry_area", "entry_stack_page", &l->entry_stack, true },
	};
	l->inactive_frame_size = types_sizeof(types, "inactive_task_frame");
	l->irq_stack_size = types_sizeof(types, "irq_stack");
	if (!l->irq_stack_size)
		l->irq_stack_size = IRQ_STACK_SIZE;
	struct error *err = types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err && !is_inactive_frame(l->frame, l->inactive_frame_size))
		err = error_create(ERROR_CORRUPT, "BTF: struct inactive_task_frame of %u bytes",
				   l->inactive_frame_size);
	return err;
}

/* Whether interrupts are handled on the CPU: then what was interrupted last was on that stack. */
static bool is_irq_stack_in_use(struct unwinder *unwinder, uint64_t per_cpu)
{
	const struct member *member = &unwinder->layout.x86_64.hardirq_stack_inuse;
	const uint64_t *at = unwinder->symbols->at;
	uint64_t address = at[KSYM_hardirq_stack_inuse];
	uint8_t ret = 0;

	if (!address && at[KSYM_pcpu_hot] && member->size)
		address = at[KSYM_pcpu_hot] + member->offset;
	if (address)
		error_destroy(memory_read(unwinder->memory, address + per_cpu, &ret, 1));
	return ret;
}

static bool x86_64_find(struct unwinder *unwinder, uint64_t per_cpu, struct registers *ret)
{
	return x86_64_find_registers(unwinder, per_cpu, is_irq_stack_in_use(unwinder, per_cpu),
				     ret);
}

static void add_area(struct unwinder *unwinder, uint64_t start, uint64_t size,
		     enum frame_section section)
{
	if (start && size && unwinder->nr_areas < UNWIND_MAX_AREAS)
		unwinder->areas[unwinder->nr_areas++] = (struct stack_area){
			.start = start,
			.end = start + size,
			.section = section,
		};
}

static struct error *x86_64_cpu_areas(struct unwinder *unwinder, uint64_t per_cpu)
{
	const __typeof__(unwinder->layout.x86_64) *l = &unwinder->layout.x86_64;
	const uint64_t *at = unwinder->symbols->at;
	uint64_t irq_ptr = at[KSYM_hardirq_stack_ptr], exceptions = 0, irq = 0;
	struct error *err = NULL;

	if (!irq_ptr && at[KSYM_pcpu_hot] && l->hardirq_stack_ptr.size)
		irq_ptr = at[KSYM_pcpu_hot] + l->hardirq_stack_ptr.offset;
	if (irq_ptr)
		err = memory_read_u64(unwinder->memory, irq_ptr + per_cpu, &irq);
	if (!err && at[KSYM_cea_exception_stacks])
		err = memory_read_u64(unwinder->memory, at[KSYM_cea_exception_stacks] + per_cpu,
				      &exceptions);
	if (err)
		return err;
	/* map_irq_stack(), arch/x86/kernel/irq_64.c: the stack's end; since 5.12 (951c2a51ae75) its highest word. */
	if (irq)
		add_area(unwinder, ((irq + 15) & ~(uint64_t)15) - l->irq_stack_size,
			 l->irq_stack_size, SECTION_IRQ);
	if (exceptions) {
		const struct {
			const struct member *member;
			enum frame_section section;
		} stacks[] = {
			{ &l->nmi, SECTION_NMI },      { &l->df, SECTION_EXCEPTION },
			{ &l->db, SECTION_EXCEPTION }, { &l->mce, SECTION_EXCEPTION },
			{ &l->vc, SECTION_EXCEPTION },
		};
		for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
			add_area(unwinder, exceptions + stacks[i].member->offset,
				 (uint64_t)stacks[i].member->size * stacks[i].member->count,
				 stacks[i].section);
		/* Where user mode comes in, up to the change to the task's stack; in the same struct cpu_entry_area. */
		if (l->estacks.size && l->entry_stack.size)
			add_area(unwinder, exceptions - l->estacks.offset + l->entry_stack.offset,
				 l->entry_stack.size, SECTION_EXCEPTION);
	}
	return NULL;
}

static bool x86_64_from_prstatus(const struct note *note, struct registers *ret)
{
	size_t size = NR_REGISTERS * sizeof(ret->values[0]);

	if (note->desc_size < PRSTATUS_REGISTERS_OFFSET + size)
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->values, (const char *)note->desc + PRSTATUS_REGISTERS_OFFSET, size);
	ret->known = ALL_REGISTERS;
	return true;
}

bool x86_64_is_user(const struct registers *registers)
{
	return registers->values[CS] & 3;
}

/* __switch_to_asm() pushes a struct inactive_task_frame and keeps its address in thread.sp. */
static struct error *x86_64_sleeping_registers(const struct unwinder *unwinder, uint64_t sp,
					       struct registers *ret)
{
	const __typeof__(unwinder->layout.x86_64) *l = &unwinder->layout.x86_64;
	static const uint8_t kept[] = { R15, R14, R13, R12, BX, BP, IP };
	uint64_t words[MAX_INACTIVE_WORDS];

	*ret = (struct registers){ .known = 1 << SP };
	struct error *err = x86_64_read_words(unwinder, sp, words, l->inactive_frame_size / WORD);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(kept); i++) {
		ret->values[kept[i]] = words[l->frame[kept[i]].offset / WORD];
		ret->known |= 1 << kept[i];
	}
	ret->values[SP] = sp + l->inactive_frame_size;
	return NULL;
}

static struct error *x86_64_read_registers(const struct unwinder *unwinder, uint64_t address,
					   struct registers *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->known = ALL_REGISTERS;
	return memory_read(unwinder->memory, address, ret->values, NR_REGISTERS * WORD);
}

static struct error *x86_64_walk(struct unwinder *unwinder, const struct registers *registers,
				 struct stack *stack)
{
	struct walk w = {
		.pc = registers->values[IP],
		.sp = registers->values[SP],
		.bp = registers->values[BP],
		.interrupted = true,
		.user = x86_64_is_user(registers),
		.reliable = registers->trust != REGISTERS_GUESSED,
		.doubted = registers->trust != REGISTERS_EXACT,
		.exact_at = registers->exact_at,
		.has_registers = (registers->known & ALL_REGISTERS) == ALL_REGISTERS,
		.registers = *registers,
	};
	return x86_64_walk_from(unwinder, &w, stack);
}

static struct error *x86_64_walk_sleeping(struct unwinder *unwinder, uint64_t sp,
					  struct stack *stack)
{
	struct registers registers;

	struct error *err = x86_64_sleeping_registers(unwinder, sp, &registers);
	if (err)
		return err;
	struct walk w = {
		.pc = registers.values[IP],
		.sp = registers.values[SP],
		.bp = registers.values[BP],
		.reliable = true,
	};
	/* A task that never ran goes on at ret_from_fork itself: __unwind_start() has that case too. */
	w.interrupted = symbols_lookup(unwinder->symbols, w.pc).start == w.pc;
	return x86_64_walk_from(unwinder, &w, stack);
}

const struct unwind_arch unwind_arch_x86_64 = {
	.machine = EM_X86_64,
	.nr_registers = NR_REGISTERS,
	.register_names = register_names,
	.pc = IP,
	.sp = SP,
	.argument = DI,
	.dwarf_registers = dwarf_registers,
	.nr_dwarf_registers = sizeof(dwarf_registers),
	.thread_sp = 24, /* behind tls_array: arch/x86/include/asm/processor.h */
	.kept = 1 << BX | 1 << BP | 1 << R12 | 1 << R13 | 1 << R14 | 1 << R15,
	.init = x86_64_init,
	.cpu_areas = x86_64_cpu_areas,
	.from_prstatus = x86_64_from_prstatus,
	.is_user = x86_64_is_user,
	.walk = x86_64_walk,
	.walk_sleeping = x86_64_walk_sleeping,
	.sleeping_registers = x86_64_sleeping_registers,
	.read_registers = x86_64_read_registers,
	.user_registers = x86_64_user_registers,
	.find_registers = x86_64_find,
	.code_mentions = code_mentions_x86_64,
};
