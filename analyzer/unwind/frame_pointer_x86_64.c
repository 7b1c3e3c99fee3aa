// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code with frame pointers: all of a kernel that was built without ORC, and
 * BPF programs and trampolines everywhere. rbp points to the caller's rbp, with
 * the return address behind it, or, made odd, to the struct pt_regs of
 * interrupted code: ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h
 * (946c191161ce). A function that was interrupted before its prologue was
 * through, or at its ret, has none yet, or no more.
 */
#include <string.h>

#include "unwind/callsite_x86_64.h"
#include "unwind/walk_x86_64.h"

#define OPCODE_RET     0xc3
#define PROLOGUE_BYTES 20

/*
 * The bytes that the function has on the stack at @pc besides its frame, if it has none: the return address, and
 * perhaps the caller's rbp. 0 if it has a frame.
 */
static int16_t without_frame(struct unwinder *unwinder, uint64_t pc)
{
	static const uint8_t set_up[] = { 0x55, 0x48, 0x89, 0xe5 }; /* push %rbp; mov %rsp,%rbp */
	struct symbol function = symbols_lookup(unwinder->symbols, pc);
	uint8_t code[PROLOGUE_BYTES];

	struct error *err = memory_read(unwinder->memory, pc, code, 1);
	if (!err && *code == OPCODE_RET)
		return WORD;
	if (!err && function.name && pc - function.start < sizeof(code))
		err = memory_read(unwinder->memory, function.start, code, sizeof(code));
	if (err || !function.name || pc - function.start >= sizeof(code)) {
		error_destroy(err);
		return 0;
	}
	const uint8_t *found = memmem(code, sizeof(code), set_up, sizeof(set_up));
	if (pc == function.start || (found && pc <= function.start + (found - code)))
		return WORD;
	return found && pc == function.start + (found - code) + 1 ? 2 * WORD : 0;
}

bool x86_64_frame_pointer(struct unwinder *unwinder, const struct walk *w, struct orc_entry *ret)
{
	const struct stack_area *area = unwind_area(unwinder, w->bp);

	int16_t size = w->interrupted ? without_frame(unwinder, w->pc) : 0;

	if (size) {
		*ret = (struct orc_entry){
			.type = ORC_TYPE_CALL,
			.sp_reg = ORC_REG_SP,
			.sp_offset = size,
			.bp_reg = size > WORD ? ORC_REG_PREV_SP : ORC_REG_UNDEFINED,
			.bp_offset = -2 * WORD,
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
		*ret = (struct orc_entry){
			.type = ORC_TYPE_REGS,
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
