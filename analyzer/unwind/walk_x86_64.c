// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk over x86-64's stacks, after arch/x86/kernel/unwind_orc.c: ORC where
 * the kernel has it, else frame pointers (frame_pointer_x86_64.c), which code that was
 * generated at run time keeps too; and where a step cannot be made, the next
 * word of the stack that can be a return address, as a guess.
 *
 * An interrupt leaves a struct pt_regs, or its last five words, on the stack
 * that it came in on: the walk takes its registers up and goes on with them,
 * on whatever stack they point to.
 *
 * A frame is reliable as long as tables, or two witnesses that agree, led to
 * it. Behind a guess nothing is, up to the registers of user mode, which are
 * at a place of their own.
 */
#include "unwind/walk_x86_64.h"

#include "unwind/callsite_x86_64.h"
#include "unwind/nonstandard_x86_64.h"
#include "unwind/return_hooks.h"

#define IRET_WORDS 5 /* ip, cs, flags, sp, ss */

static struct error *on_no_stack(uint64_t address)
{
	return error_fault(ERROR_CORRUPT, address, "0x%llx is on no stack of this task",
			   (unsigned long long)address);
}

static struct error *read_word(const struct unwinder *unwinder, uint64_t address, uint64_t *ret)
{
	if (!unwind_area(unwinder, address))
		return on_no_stack(address);
	return memory_read_u64(unwinder->memory, address, ret);
}

struct error *x86_64_read_words(const struct unwinder *unwinder, uint64_t address, uint64_t *words,
				size_t count)
{
	const struct stack_area *area = unwind_area(unwinder, address);

	if (!area || area->end - address < count * WORD)
		return on_no_stack(address);
	return memory_read(unwinder->memory, address, words, count * WORD);
}

/* Where the caller's stack pointer was, as the entry says. */
static struct error *caller_sp(const struct unwinder *unwinder, const struct walk *w,
			       const struct orc_entry *entry, uint64_t *ret)
{
	static const uint8_t registers[] = {
		[ORC_REG_DX] = DX,   [ORC_REG_DI] = DI, [ORC_REG_R10] = R10,
		[ORC_REG_R13] = R13, [ORC_REG_AX] = AX,
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
	case ORC_REG_AX:
		if (!w->has_registers)
			return error_fault(
				ERROR_CORRUPT, w->pc,
				"0x%llx: the frame hangs on a register that is not known",
				(unsigned long long)w->pc);
		*ret = w->registers.values[registers[entry->sp_reg]];
		return NULL;
	default:
		return error_fault(ERROR_CORRUPT, w->pc, "0x%llx: unknown ORC register %u",
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
		err = x86_64_read_words(unwinder, sp, registers->values, NR_REGISTERS);
	else
		err = x86_64_read_words(unwinder, sp, &registers->values[IP], IRET_WORDS);
	if (err)
		return err;
	/* With the last five words alone, the others are still what they were. */
	w->has_registers = whole || w->has_registers;
	w->registers_at = whole ? sp : 0;
	if (sp == w->exact_at) {
		w->reliable = true;
		w->doubted = false;
	}
	w->pc = registers->values[IP];
	w->sp = registers->values[SP];
	if (whole)
		w->bp = registers->values[BP];
	w->user = x86_64_is_user(registers);
	return NULL;
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

/* How a frame's caller is found. */
struct way {
	struct orc_entry entry;
	bool generated; /* code that no table covers */
	bool doubtful; /* whether code has set up its frame is not known */
	bool guess; /* nothing is known */
};

/* Code that no table covers: a call of address 0 left just its return address; all else keeps frame pointers. */
static void way_without_orc(struct unwinder *unwinder, const struct walk *w, struct way *ret)
{
	ret->generated = true;
	ret->entry = (struct orc_entry){ .type = ORC_TYPE_CALL,
					 .sp_reg = ORC_REG_SP,
					 .sp_offset = WORD };
	if (w->pc)
		ret->guess = !x86_64_frame_pointer(unwinder, w, &ret->entry, &ret->doubtful);
}

static struct error *find_way(struct unwinder *unwinder, const struct walk *w, struct way *ret)
{
	struct error *err = NULL;

	*ret = (struct way){};
	switch (unwinder->method) {
	case UNWIND_ORC:
		err = orc_find(&unwinder->orc, w->pc - !w->interrupted, &ret->entry);
		if (err && err->class == ERROR_NOT_FOUND) {
			error_destroy(err);
			err = NULL;
			way_without_orc(unwinder, w, ret);
		} else if (err && err != &error_no_memory) {
			/* A page of the tables is not in the dump: that takes one frame's certainty, not the stack. */
			ret->guess = true;
			if (unwinder->error)
				error_destroy(err);
			else
				unwinder->error = error_prefix(err, "ORC, which is not whole");
			err = NULL;
		}
		break;
	case UNWIND_FRAME_POINTERS:
		ret->guess = !x86_64_frame_pointer(unwinder, w, &ret->entry, &ret->doubtful);
		break;
	case UNWIND_GUESS:
		ret->guess = true;
		break;
	}
	return err;
}

/* One frame outwards. */
static struct error *step(struct unwinder *unwinder, struct walk *w, const struct orc_entry *entry)
{
	uint64_t sp, previous_sp = w->sp;

	w->registers_at = 0;
	if (entry->type == ORC_TYPE_UNDEFINED)
		return step_nonstandard(unwinder, w);
	struct error *err = caller_sp(unwinder, w, entry, &sp);
	if (err)
		return err;
	if (entry->type == ORC_TYPE_CALL) {
		err = read_word(unwinder, sp - WORD, &w->pc);
		if (!err)
			err = return_hooks_undo(unwinder, sp - WORD, &w->pc);
		w->sp = sp;
		if (!err)
			err = caller_bp(unwinder, w, entry, sp);
		w->has_registers = false;
	} else {
		err = take_registers(unwinder, w, sp, entry->type == ORC_TYPE_REGS);
	}
	w->interrupted = entry->signal;
	if (err || w->user)
		return err;
	return check_progress(unwinder, w, previous_sp);
}

/* Weighs what the step from @inner, which @way told, has come to. */
static void weigh(struct unwinder *unwinder, struct walk *w, uint64_t inner, const struct way *way)
{
	bool proven;

	if (!w->reliable || way->entry.type != ORC_TYPE_CALL || w->interrupted)
		return;
	enum call call = code_call_of(unwinder, w->pc, inner, &proven);
	/* Two witnesses: the frame pointer, and a call to just this code. */
	if (way->generated && !proven)
		w->reliable = call == CALL_INDIRECT && (!inner || code_is_bpf(unwinder, inner));
	else if (unwinder->method == UNWIND_FRAME_POINTERS && !proven)
		/* The outermost frame's may never have been called: see is_believed(). */
		w->reliable = !way->doubtful && (call != CALL_NONE || !w->bp);
	if (w->doubted)
		w->reliable = proven || call == CALL_INDIRECT;
}

/*
 * Registers are believed whatever they say; a word of the stack that leads to no function, or behind no call, was
 * no return address. But the outermost frame's may never have been called: secondary_startup_64.
 */
static bool is_believed(struct unwinder *unwinder, const struct walk *w, const struct way *way)
{
	uint64_t target;

	if (w->interrupted)
		return true;
	return symbols_lookup(unwinder->symbols, w->pc - 1).name &&
	       (way->entry.type == ORC_TYPE_END_OF_STACK ||
		code_call_before(unwinder, w->pc, &target) != CALL_NONE);
}

static struct error *add_frame(struct unwinder *unwinder, const struct walk *w, bool reliable,
			       struct stack *stack)
{
	const struct frame frame = {
		.pc = w->pc,
		.sp = w->sp,
		.registers_at = w->registers_at,
		.section = w->user ? SECTION_USER : SECTION_TASK,
		.interrupted = w->interrupted,
		.reliable = reliable,
	};
	return unwind_add_frame(unwinder, stack, &frame);
}

/* Goes one frame outwards, by a guess if it must: then *@why, if not set yet, becomes the reason. False at the end. */
static bool advance(struct unwinder *unwinder, struct walk *w, const struct way *way,
		    struct error **why)
{
	const struct walk before = *w;
	struct error *err = NULL;

	if (way->entry.type == ORC_TYPE_END_OF_STACK && !way->guess)
		return false;
	if (!way->guess)
		err = step(unwinder, w, &way->entry);
	/* Where all is a guess already, what leads to no code, or to a user mode that is elsewhere, was a wrong one. */
	bool right = w->reliable || (w->user ? x86_64_is_entry(unwinder, w->registers_at)
					     : code_is(unwinder, w->pc));
	if (!err && !way->guess && right) {
		weigh(unwinder, w, before.pc - !before.interrupted, way);
		return true;
	}
	if (*why)
		error_destroy(err);
	else
		*why = err;
	*w = before;
	return x86_64_guess(unwinder, w);
}

struct error *x86_64_walk_from(struct unwinder *unwinder, struct walk *w, struct stack *stack)
{
	struct error *why = NULL;

	for (;;) {
		struct way way = {};
		struct error *err = w->user ? NULL : find_way(unwinder, w, &way);
		if (err) {
			way.guess = true;
			if (why)
				error_destroy(err);
			else
				why = err;
		}
		/* What led to the registers of user mode is of no matter, for they are in a place of their own. */
		bool reliable = w->user ? w->reliable || stack->frames.count
					: w->reliable && is_believed(unwinder, w, &way);
		err = add_frame(unwinder, w, reliable, stack);
		if (err) {
			error_destroy(why);
			return err;
		}
		if (w->user || !advance(unwinder, w, &way, &why))
			return why;
	}
}
