// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64 unwinding, after arch/x86/kernel/unwind_orc.c: ORC where there is an
 * entry; frame pointers in code that was generated at run time (BPF programs
 * and trampolines keep them), and what comes behind such a frame is a guess.
 *
 * An interrupt leaves a struct pt_regs, or its last five words, on the stack
 * that it came in on: the walk takes its registers up and goes on with them,
 * on whatever stack they point to.
 */
#include <elf.h>
#include <string.h>

#include "unwind/nonstandard_x86_64.h"

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

static const char *const register_names[NR_REGISTERS] = {
	"r15", "r14", "r13", "r12", "rbp",	"rbx", "r11", "r10",	"r9",  "r8", "rax",
	"rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs",  "rflags", "rsp", "ss",
};

/* struct elf_prstatus: pr_reg, whose first 21 words are struct pt_regs. */
#define PRSTATUS_REGISTERS_OFFSET 112

#define ALL_REGISTERS ((1ull << NR_REGISTERS) - 1)

#define WORD		   8
#define MAX_INACTIVE_WORDS 16 /* struct inactive_task_frame has 7 */
#define IRET_WORDS	   5 /* ip, cs, flags, sp, ss */

struct walk {
	uint64_t pc, sp, bp;
	uint64_t registers_at; /* of the struct pt_regs that pc is from, or 0 */
	bool interrupted;
	bool reliable;
	bool has_registers; /* those of the last pt_regs that was come by: get_reg() */
	struct registers registers;
};

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
		{ "cea_exception_stacks", "NMI_stack", &l->nmi, true },
		{ "cea_exception_stacks", "DF_stack", &l->df, true },
		{ "cea_exception_stacks", "DB_stack", &l->db, true },
		{ "cea_exception_stacks", "MCE_stack", &l->mce, true },
		{ "cea_exception_stacks", "VC_stack", &l->vc, true },
	};
	l->inactive_frame_size = types_sizeof(types, "inactive_task_frame");
	l->irq_stack_size = types_sizeof(types, "irq_stack");
	struct error *err = types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err && !is_inactive_frame(l->frame, l->inactive_frame_size))
		err = error_create(ERROR_CORRUPT, "BTF: struct inactive_task_frame of %u bytes",
				   l->inactive_frame_size);
	return err;
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

	if (!irq_ptr && at[KSYM_pcpu_hot])
		irq_ptr = at[KSYM_pcpu_hot] + l->hardirq_stack_ptr.offset;
	if (irq_ptr)
		err = memory_read_u64(unwinder->memory, irq_ptr + per_cpu, &irq);
	if (!err && at[KSYM_cea_exception_stacks])
		err = memory_read_u64(unwinder->memory, at[KSYM_cea_exception_stacks] + per_cpu,
				      &exceptions);
	if (err)
		return err;
	/* The pointer is to the highest word of the stack: map_irq_stack(), arch/x86/kernel/irq_64.c. */
	if (irq)
		add_area(unwinder, irq + WORD - l->irq_stack_size, l->irq_stack_size, SECTION_IRQ);
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

static bool x86_64_is_user(const struct registers *registers)
{
	return registers->values[CS] & 3;
}

/* The stack word at @address; only stacks are read, whatever the registers say. */
static struct error *read_word(const struct unwinder *unwinder, uint64_t address, uint64_t *ret)
{
	if (!unwind_area(unwinder, address))
		return error_fault(ERROR_CORRUPT, address, "0x%llx is on no stack of this task",
				   (unsigned long long)address);
	return memory_read_u64(unwinder->memory, address, ret);
}

static struct error *read_words(const struct unwinder *unwinder, uint64_t address, uint64_t *words,
				size_t count)
{
	const struct stack_area *area = unwind_area(unwinder, address);

	if (!area || area->end - address < count * WORD)
		return error_fault(ERROR_CORRUPT, address, "0x%llx is on no stack of this task",
				   (unsigned long long)address);
	return memory_read(unwinder->memory, address, words, count * WORD);
}

/* Where the caller's stack pointer was, as the entry says. */
static struct error *caller_sp(const struct unwinder *unwinder, const struct walk *w,
			       const struct orc_entry *entry, uint64_t *ret)
{
	static const uint8_t registers[] = {
		[ORC_REG_DX] = DX,
		[ORC_REG_DI] = DI,
		[ORC_REG_R10] = R10,
		[ORC_REG_R13] = R13,
	};

	switch (entry->sp_reg) {
	case ORC_REG_SP:
		*ret = w->sp + entry->sp_offset;
		return NULL;
	case ORC_REG_BP:
		*ret = w->bp + entry->sp_offset;
		return NULL;
	case ORC_REG_SP_INDIRECT: {
		struct error *err = read_word(unwinder, w->sp, ret);
		if (!err)
			*ret += entry->sp_offset;
		return err;
	}
	case ORC_REG_BP_INDIRECT:
		return read_word(unwinder, w->bp + entry->sp_offset, ret);
	case ORC_REG_DX:
	case ORC_REG_DI:
	case ORC_REG_R10:
	case ORC_REG_R13:
		if (!w->has_registers)
			return error_fault(
				ERROR_CORRUPT, w->pc,
				"0x%llx: the frame hangs on a register that is not known",
				(unsigned long long)w->pc);
		*ret = w->registers.values[registers[entry->sp_reg]];
		return NULL;
	default:
		return error_fault(ERROR_CORRUPT, w->pc, "0x%llx: ORC register %u",
				   (unsigned long long)w->pc, entry->sp_reg);
	}
}

static struct error *caller_bp(const struct unwinder *unwinder, struct walk *w,
			       const struct orc_entry *entry, uint64_t sp)
{
	switch (entry->bp_reg) {
	case ORC_REG_PREV_SP:
		return read_word(unwinder, sp + entry->bp_offset, &w->bp);
	case ORC_REG_BP:
		return read_word(unwinder, w->bp + entry->bp_offset, &w->bp);
	default:
		if (w->has_registers)
			w->bp = w->registers.values[BP];
		return NULL;
	}
}

/* Takes up the registers that an interrupt, an exception or a system call pushed at @sp. */
static struct error *take_registers(const struct unwinder *unwinder, struct walk *w, uint64_t sp,
				    bool whole)
{
	struct registers *registers = &w->registers;
	struct error *err;

	if (whole)
		err = read_words(unwinder, sp, registers->values, NR_REGISTERS);
	else
		err = read_words(unwinder, sp, &registers->values[IP], IRET_WORDS);
	if (err)
		return err;
	/* With the last five words alone, the others are still what they were. */
	w->has_registers = whole || w->has_registers;
	w->registers_at = whole ? sp : 0;
	w->pc = registers->values[IP];
	w->sp = registers->values[SP];
	if (whole)
		w->bp = registers->values[BP];
	w->interrupted = true;
	return NULL;
}

/*
 * Code that no table covers. As the kernel has it: a call to address 0 left
 * just its return address; all else is taken to have a frame pointer.
 */
static void guess_entry(struct walk *w, struct orc_entry *ret)
{
	*ret = (struct orc_entry){ .type = ORC_TYPE_CALL, .sp_reg = ORC_REG_SP, .sp_offset = WORD };
	if (w->pc)
		*ret = (struct orc_entry){
			.type = ORC_TYPE_CALL,
			.sp_reg = ORC_REG_BP,
			.sp_offset = 2 * WORD,
			.bp_reg = ORC_REG_PREV_SP,
			.bp_offset = -2 * WORD,
		};
	w->reliable = false;
}

/* Goes on only towards a stack's end, or from one stack to another; UNWIND_MAX_FRAMES ends all else. */
static struct error *check_progress(const struct unwinder *unwinder, const struct walk *w,
				    uint64_t previous_sp)
{
	if (unwind_area(unwinder, previous_sp) != unwind_area(unwinder, w->sp) ||
	    w->sp > previous_sp || (w->interrupted && w->sp == previous_sp))
		return NULL;
	return error_fault(ERROR_CORRUPT, w->sp, "0x%llx: the stack does not get shorter",
			   (unsigned long long)w->sp);
}

static struct error *step_nonstandard(struct unwinder *unwinder, struct walk *w)
{
	struct nonstandard_frame frame;

	struct error *err = nonstandard_frame(unwinder, w->pc, w->interrupted, w->sp, &frame);
	if (err)
		return err;
	err = read_word(unwinder, frame.return_at, &w->pc);
	if (!err && frame.bp_at)
		err = read_word(unwinder, frame.bp_at, &w->bp);
	w->sp = frame.return_at + WORD;
	w->interrupted = false;
	w->has_registers = false;
	w->reliable = w->reliable && frame.proven;
	return err;
}

/* One frame outwards. *@end: there is none. */
static struct error *step(struct unwinder *unwinder, struct walk *w, bool *end)
{
	struct orc_entry entry;
	uint64_t sp, previous_sp = w->sp;

	w->registers_at = 0;
	struct error *err = orc_find(&unwinder->orc, w->pc - !w->interrupted, &entry);
	if (err && err->class == ERROR_NOT_FOUND) {
		error_destroy(err);
		guess_entry(w, &entry);
	} else if (err) {
		return err;
	}
	if (entry.type == ORC_TYPE_END_OF_STACK) {
		*end = true;
		return NULL;
	}
	if (entry.type == ORC_TYPE_UNDEFINED)
		return step_nonstandard(unwinder, w);
	err = caller_sp(unwinder, w, &entry, &sp);
	if (err)
		return err;
	if (entry.type == ORC_TYPE_CALL) {
		err = read_word(unwinder, sp - WORD, &w->pc);
		w->sp = sp;
		w->interrupted = false;
		if (!err)
			err = caller_bp(unwinder, w, &entry, sp);
		w->has_registers = false;
	} else {
		err = take_registers(unwinder, w, sp, entry.type == ORC_TYPE_REGS);
	}
	if (!err && w->has_registers && x86_64_is_user(&w->registers))
		return NULL;
	return err ? err : check_progress(unwinder, w, previous_sp);
}

/* Registers are believed whatever they say; a word of the stack that leads to no function was no return address. */
static bool is_code(struct unwinder *unwinder, const struct walk *w)
{
	return w->interrupted || symbols_lookup(unwinder->symbols, w->pc - 1).name;
}

static struct error *walk_from(struct unwinder *unwinder, struct walk *w, struct stack *stack)
{
	for (;;) {
		bool user = w->interrupted && x86_64_is_user(&w->registers), end = false;
		struct frame frame = {
			.pc = w->pc,
			.sp = w->sp,
			.registers_at = w->registers_at,
			.section = user ? SECTION_USER : SECTION_TASK,
			.interrupted = w->interrupted,
			.reliable = w->reliable && is_code(unwinder, w),
		};
		struct error *err = unwind_add_frame(unwinder, stack, &frame);
		if (err || user)
			return err;
		err = step(unwinder, w, &end);
		if (err || end)
			return err;
	}
}

static struct error *x86_64_walk(struct unwinder *unwinder, const struct registers *registers,
				 struct stack *stack)
{
	struct walk w = {
		.pc = registers->values[IP],
		.sp = registers->values[SP],
		.bp = registers->values[BP],
		.interrupted = true,
		.reliable = true,
		.has_registers = true,
		.registers = *registers,
	};
	return walk_from(unwinder, &w, stack);
}

/* __switch_to_asm() pushes a struct inactive_task_frame and keeps its address in thread.sp. */
static struct error *x86_64_sleeping_registers(const struct unwinder *unwinder, uint64_t sp,
					       struct registers *ret)
{
	const __typeof__(unwinder->layout.x86_64) *l = &unwinder->layout.x86_64;
	static const uint8_t kept[] = { R15, R14, R13, R12, BX, BP, IP };
	uint64_t words[MAX_INACTIVE_WORDS];

	*ret = (struct registers){ .known = 1 << SP };
	struct error *err = read_words(unwinder, sp, words, l->inactive_frame_size / WORD);
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
	return walk_from(unwinder, &w, stack);
}

const struct unwind_arch unwind_arch_x86_64 = {
	.machine = EM_X86_64,
	.nr_registers = NR_REGISTERS,
	.register_names = register_names,
	.pc = IP,
	.sp = SP,
	.init = x86_64_init,
	.cpu_areas = x86_64_cpu_areas,
	.from_prstatus = x86_64_from_prstatus,
	.is_user = x86_64_is_user,
	.walk = x86_64_walk,
	.walk_sleeping = x86_64_walk_sleeping,
	.sleeping_registers = x86_64_sleeping_registers,
	.read_registers = x86_64_read_registers,
};
