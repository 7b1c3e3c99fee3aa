// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code with frame pointers: all of a kernel that was built without ORC, and
 * BPF programs and trampolines everywhere. rbp points to the caller's rbp, with
 * the return address behind it, or, made odd, to the struct pt_regs of
 * interrupted code: ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h
 * (946c191161ce).
 *
 * A function has no frame of its own before "mov %rsp,%rbp", nor behind the
 * pop or leave at its end; small ones that call nobody, and assembly, never
 * have one. gcc puts other instructions between those of the prologue, and
 * parts that need no frame before it. So for code that was interrupted, and for
 * a function that an fentry hook was called from, it is told by two witnesses:
 * whether the code up to there has that mov; and which word is behind a call
 * of just this function, the one behind the frame or the one on top of the
 * stack.
 */
#include <string.h>

#include "unwind/callsite_x86_64.h"
#include "unwind/walk_x86_64.h"

#define OPCODE_PUSH	 0x50 /* of rax to rdi; of r8 to r15 behind a prefix */
#define OPCODE_PUSH_MASK 0xf8
#define OPCODE_RET	 0xc3
#define OPCODE_JMP	 0xe9
#define JMP_SIZE	 5
#define MAX_CODE	 4096 /* bytes in which the frame is set up, if at all */
#define FENTRY_BYTES	 16 /* endbr64 and the call of a hook are within these */
#define MAX_ON_STACK	 72 /* bytes that assembly has there without a frame */
#define WITHOUT_UNKNOWN	 (-1)

/* What a word of the stack is, if it is to return from the function at @pc. */
static enum call return_at(struct unwinder *unwinder, uint64_t at, uint64_t pc, bool *proven)
{
	uint64_t word;
	struct error *err = x86_64_read_words(unwinder, at, &word, 1);

	*proven = false;
	if (err || !code_is(unwinder, word - 1)) {
		error_destroy(err);
		return CALL_NONE;
	}
	return code_call_of(unwinder, word, pc, proven);
}

enum prologue {
	PROLOGUE_NONE, /* nothing is on the stack but the return address */
	PROLOGUE_BEGUN, /* something may be, but no frame */
	PROLOGUE_DONE,
};

/* What the function has done by @pc. What was split off its end runs with its frame. */
static enum prologue prologue_at(struct unwinder *unwinder, const struct symbol *function,
				 uint64_t pc)
{
	static const uint8_t mov[] = { 0x48, 0x89, 0xe5 }, sub[] = { 0x48, 0x83, 0xec };
	uint8_t code[MAX_CODE];
	uint64_t size = pc - function->start;

	if (size > sizeof(code) || strstr(function->name, ".cold"))
		return PROLOGUE_DONE;
	struct error *err = memory_read(unwinder->memory, function->start, code, size);
	if (err || memmem(code, size, mov, sizeof(mov))) {
		error_destroy(err);
		return PROLOGUE_DONE;
	}
	for (size_t i = 0; i < size; i++)
		if ((code[i] & OPCODE_PUSH_MASK) == OPCODE_PUSH)
			return PROLOGUE_BEGUN;
	return memmem(code, size, sub, sizeof(sub)) ? PROLOGUE_BEGUN : PROLOGUE_NONE;
}

/* Whether @pc is at the end of its function, behind its frame: a ret, or a jump to where another one begins. */
static bool is_leaving(struct unwinder *unwinder, uint64_t pc)
{
	uint8_t code[JMP_SIZE] = {};
	int32_t distance;

	struct error *err = memory_read(unwinder->memory, pc, code, 1);
	if (!err && *code == OPCODE_JMP)
		err = memory_read(unwinder->memory, pc, code, sizeof(code));
	if (err) {
		error_destroy(err);
		return false;
	}
	memcpy(&distance, code + 1, sizeof(distance));
	uint64_t target = pc + JMP_SIZE + distance;
	struct symbol symbol = symbols_lookup(unwinder->symbols, target);
	return *code == OPCODE_RET || (*code == OPCODE_JMP && symbol.name &&
				       symbol.start == target && !strstr(symbol.name, ".cold"));
}

/* The bytes up to a return address that is proven, among the words on top of the stack; 0 if there is none. */
static int16_t find_proven(struct unwinder *unwinder, const struct walk *w)
{
	bool proven;

	for (int16_t size = WORD; size <= MAX_ON_STACK; size += WORD)
		if (return_at(unwinder, w->sp + size - WORD, w->pc, &proven) != CALL_NONE && proven)
			return size;
	return 0;
}

/* The same of one that is behind a call of something: on top of the stack, or below rbp, which was pushed. */
static int16_t find_indirect(struct unwinder *unwinder, const struct walk *w)
{
	uint64_t word = 0;
	bool proven;

	if (return_at(unwinder, w->sp, w->pc, &proven) == CALL_INDIRECT)
		return WORD;
	error_destroy(x86_64_read_words(unwinder, w->sp, &word, 1));
	if (word && word == w->bp &&
	    return_at(unwinder, w->sp + WORD, w->pc, &proven) == CALL_INDIRECT)
		return 2 * WORD;
	return WITHOUT_UNKNOWN;
}

/*
 * The bytes that the @function that was interrupted has on the stack besides its frame, if it has none: the return
 * address, and what was pushed. 0 if it has a frame; WITHOUT_UNKNOWN.
 */
static int16_t without_frame(struct unwinder *unwinder, const struct walk *w,
			     const struct symbol *function)
{
	enum prologue prologue = prologue_at(unwinder, function, w->pc);
	bool proven, frame_proven;

	enum call top = return_at(unwinder, w->sp, w->pc, &proven);
	if (top != CALL_NONE && (prologue == PROLOGUE_NONE || is_leaving(unwinder, w->pc)))
		return WORD;
	enum call behind_frame = return_at(unwinder, w->bp + WORD, w->pc, &frame_proven);
	if (prologue == PROLOGUE_DONE)
		return frame_proven || behind_frame == CALL_INDIRECT || !proven ? 0 : WORD;
	int16_t size = find_proven(unwinder, w);
	if (size || frame_proven)
		return size;
	return find_indirect(unwinder, w);
}

/* Whether the @function called a hook where it begins, w->pc being where that returns to: it has no frame yet. */
static bool is_hooked(struct unwinder *unwinder, const struct walk *w,
		      const struct symbol *function)
{
	bool proven;

	return w->pc - function->start <= FENTRY_BYTES &&
	       prologue_at(unwinder, function, w->pc) != PROLOGUE_DONE &&
	       return_at(unwinder, w->sp, w->pc - 1, &proven) == CALL_DIRECT && proven;
}

/* As without_frame(), of all code. */
static int16_t size_without_frame(struct unwinder *unwinder, const struct walk *w)
{
	const struct symbol function = symbols_lookup(unwinder->symbols, w->pc - !w->interrupted);

	if (!function.name)
		return 0;
	if (w->interrupted)
		return without_frame(unwinder, w, &function);
	return is_hooked(unwinder, w, &function) ? WORD : 0;
}

/* A kernel thread's outermost frame leads to the registers with which it would go to user mode: there are none. */
static bool are_no_registers(struct unwinder *unwinder, uint64_t at)
{
	uint64_t words[NR_REGISTERS] = {};

	struct error *err = x86_64_read_words(unwinder, at, words, NR_REGISTERS);
	bool none = !err && !words[IP] && !words[CS];

	/* The step to them will tell why they cannot be read. */
	error_destroy(err);
	return none;
}

bool x86_64_frame_pointer(struct unwinder *unwinder, const struct walk *w, struct orc_entry *ret,
			  bool *doubtful_ret)
{
	const struct stack_area *area = unwind_area(unwinder, w->bp);
	int16_t size = size_without_frame(unwinder, w);

	*doubtful_ret = size == WITHOUT_UNKNOWN;
	if (size > 0) {
		/* rbp is the caller's still. */
		*ret = (struct orc_entry){
			.type = ORC_TYPE_CALL,
			.sp_reg = ORC_REG_SP,
			.sp_offset = size,
			.bp_reg = ORC_REG_UNDEFINED,
		};
		return true;
	}
	if (!w->bp) {
		*ret = (struct orc_entry){ .type = ORC_TYPE_END_OF_STACK };
		return true;
	}
	/* A frame lies further out on the same stack, or on one that the walk has not come to yet. */
	if (!area || (area == unwind_area(unwinder, w->sp) && w->bp < w->sp))
		return false;
	if (w->bp & 1) {
		bool end = are_no_registers(unwinder, w->bp - 1);
		*ret = (struct orc_entry){
			.type = end ? ORC_TYPE_END_OF_STACK : ORC_TYPE_REGS,
			.sp_reg = ORC_REG_BP,
			.sp_offset = -1,
			.signal = true,
		};
		return true;
	}
	*ret = (struct orc_entry){
		.type = ORC_TYPE_CALL,
		.sp_reg = ORC_REG_BP,
		.sp_offset = 2 * WORD,
		.bp_reg = ORC_REG_PREV_SP,
		.bp_offset = -2 * WORD,
	};
	return w->bp % WORD == 0;
}
