// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unwinder needs two registers of a frame and knows them for sure, by ORC. A variable may be in any register that
 * functions have to keep for their callers, and where those were kept only DWARF knows. Both must agree on where a
 * frame ends, or DWARF is not believed.
 */
#include "unwind/frame_registers.h"

#include <string.h>

#include "symbols/dwarf_expression.h"

struct step {
	const struct unwind_arch *arch;
	const struct frame_registers *inner;
};

bool frame_register(const struct unwind_arch *arch, const struct frame_registers *frame,
		    unsigned int number, uint64_t *ret)
{
	if (number >= arch->nr_dwarf_registers)
		return false;
	unsigned int index = arch->dwarf_registers[number];
	*ret = frame->registers.values[index];
	return frame->registers.known >> index & 1;
}

static bool read_register(void *data, unsigned int number, uint64_t *ret)
{
	const struct step *step = data;

	return frame_register(step->arch, step->inner, number, ret);
}

static bool frame_address(void *data, uint64_t *ret)
{
	const struct step *step = data;

	*ret = step->inner->cfa;
	return step->inner->has_cfa;
}

static void set_register(struct registers *registers, unsigned int index, uint64_t value)
{
	registers->values[index] = value;
	registers->known |= 1ull << index;
}

/* The rules for the registers at @address; the caller frees them. */
static Dwarf_Frame *find_rules(struct debug_file *file, uint64_t address)
{
	Dwarf_Frame *ret;

	if (!file->has_cfi) {
		file->has_cfi = true;
		file->cfi[0] = dwarf_getcfi(file->dwarf);
		file->cfi[1] = dwarf_getcfi_elf(file->elf);
	}
	for (size_t i = 0; i < 2; i++)
		if (file->cfi[i] && !dwarf_cfi_addrframe(file->cfi[i], address - file->bias, &ret))
			return ret;
	return NULL;
}

/* What register @number was in the frame that called. */
static void recover_register(const struct unwind_arch *arch, struct expression_context *context,
			     Dwarf_Frame *rules, unsigned int number,
			     const struct frame_registers *inner, struct registers *ret)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	uint64_t value;
	unsigned int index = arch->dwarf_registers[number];

	if (dwarf_frame_register(rules, number, memory, &ops, &count))
		return;
	/*
	 * Of a register without a rule libdw says whether functions keep it, but not rightly: 0.188 has %rax in the
	 * place of %rbx.
	 */
	bool known = count ? expression_word(context, ops, count, true, &value)
			   : arch->kept >> index & 1 && frame_register(arch, inner, number, &value);
	if (known)
		set_register(ret, index, value);
}

/* From @inner, the registers of @frame, to those of the frame that called it and is at @caller. */
static void recover(struct unwinder *unwinder, struct debuginfo *debuginfo,
		    const struct frame *frame, struct frame_registers *inner,
		    const struct frame *caller, struct registers *ret)
{
	const struct unwind_arch *arch = unwinder->arch;
	uint64_t address = frame->pc - !frame->interrupted;
	struct debug_file *file = debuginfo_file(debuginfo, address);
	Dwarf_Frame *rules = file ? find_rules(file, address) : NULL;
	struct step step = { arch, inner };
	struct expression_context context = {
		.memory = unwinder->memory,
		.bias = file ? file->bias : 0,
		.data = &step,
		.read_register = read_register,
		.frame_address = frame_address,
	};
	Dwarf_Op *ops;
	size_t count;

	if (!rules)
		return;
	if (!dwarf_frame_cfa(rules, &ops, &count) &&
	    expression_word(&context, ops, count, false, &inner->cfa))
		inner->has_cfa = !caller || caller->interrupted || caller->sp == inner->cfa;
	for (unsigned int i = 0; inner->has_cfa && ret && i < arch->nr_dwarf_registers; i++)
		recover_register(arch, &context, rules, i, inner, ret);
	free(rules);
}

void frame_registers_recover(struct unwinder *unwinder, struct debuginfo *debuginfo,
			     const struct stack *stack, const struct registers *innermost,
			     struct frame_registers *ret)
{
	const struct unwind_arch *arch = unwinder->arch;
	size_t count = stack->frames.count;

	memset(ret, 0, count * sizeof(*ret));
	if (count)
		ret[0].registers = *innermost;
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &stack->frames.data[i];
		const struct frame *caller = i + 1 < count ? &frame[1] : NULL;
		if (frame->section == SECTION_USER)
			break;
		if (frame->registers_at) {
			struct registers all;
			struct error *err = unwind_frame_registers(unwinder, frame, &all);
			if (!err)
				ret[i].registers = all;
			error_destroy(err);
		}
		set_register(&ret[i].registers, arch->sp, frame->sp);
		set_register(&ret[i].registers, arch->pc, frame->pc);
		recover(unwinder, debuginfo, frame, &ret[i], caller,
			caller ? &ret[i + 1].registers : NULL);
	}
}
