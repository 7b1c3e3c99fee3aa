// SPDX-License-Identifier: GPL-2.0-only
/*
 * objtool writes no ORC for functions marked STACK_FRAME_NON_STANDARD(), and
 * __crash_kexec() is one: every dump of a panic begins in it. Two witnesses
 * are heard instead. The prologue tells how much it put on the stack; and a
 * return address is one if the five bytes before it call this very function.
 * If both point to the same word it is proven, else the nearest word that the
 * second points to is taken as a guess.
 */
#include "unwind/nonstandard_x86_64.h"

#include <string.h>

#include "unwind/callsite_x86_64.h"

#define WORD	       8
#define CALL_SIZE      5 /* opcode, and where to */
#define CALL_OPCODE    0xe8
#define PROLOGUE_BYTES 64
#define SCAN_WORDS     256

struct prologue {
	uint64_t size; /* bytes that it put on the stack */
	/* Bytes on the stack when it pushed rbp, that included; 0 if it did not. */
	uint64_t bp_offset;
};

/* xor, test or mov of two registers, neither of them rsp. */
static bool is_between_registers(const uint8_t *code)
{
	return (*code == 0x31 || *code == 0x33 || *code == 0x85 || *code == 0x89 ||
		*code == 0x8b) &&
	       code[1] >> 6 == 3 && (code[1] & 7) != 4 && (code[1] >> 3 & 7) != 4;
}

/*
 * Bytes of a nop: endbr64 becomes one where nothing jumps to it, and so does the call of __fentry__; up to 5.12 on
 * some CPUs one of prefixes alone (a89dfde3dc3c).
 */
static size_t nop(const uint8_t *code)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t prefix = 0;

	if (!memcmp(code, endbr64, sizeof(endbr64)))
		return sizeof(endbr64);
	while (prefix < 4 && code[prefix] == 0x66)
		prefix++;
	const uint8_t *modrm = code + prefix + 2;
	if (code[prefix] == 0x90)
		return prefix + 1;
	if (code[prefix] != 0x0f || code[prefix + 1] != 0x1f || *modrm >> 6 > 1)
		return 0;
	return prefix + 3 + ((*modrm & 7) == 4) + (*modrm >> 6);
}

/* Bytes of an instruction that compilers schedule among the pushes and that leaves rsp alone; 0 if it is none. */
static size_t neutral_instruction(const uint8_t *code)
{
	if (nop(code))
		return nop(code);
	if (*code == CALL_OPCODE) /* __fentry__ */
		return CALL_SIZE;
	/* mov $imm32,%r32 of any but esp; the same of r8d to r15d behind a prefix */
	if ((*code & 0xf8) == 0xb8 && *code != 0xbc)
		return 5;
	if (*code == 0x41 && (code[1] & 0xf8) == 0xb8)
		return 6;
	size_t rex = (*code & 0xf0) == 0x40;
	return is_between_registers(code + rex) ? rex + 2 : 0;
}

/* Reads the pushes and the "sub $n,%rsp" at the beginning of the function, up to what it does not know. */
static void read_prologue(const uint8_t *code, size_t size, struct prologue *ret)
{
	*ret = (struct prologue){};
	for (size_t at = 0; at + 8 <= size;) {
		const uint8_t *op = code + at;
		size_t neutral = neutral_instruction(op);

		if (neutral) {
			at += neutral;
		} else if ((*op & 0xf8) == 0x50) { /* push %rax .. %rdi */
			ret->size += WORD;
			if (*op == 0x55)
				ret->bp_offset = ret->size;
			at += 1;
		} else if (*op == 0x41 && (op[1] & 0xf8) == 0x50) { /* push %r8 .. %r15 */
			ret->size += WORD;
			at += 2;
		} else if (op[0] == 0x48 && op[1] == 0x83 && op[2] == 0xec) { /* sub $imm8,%rsp */
			ret->size += op[3];
			return;
		} else if (op[0] == 0x48 && op[1] == 0x81 && op[2] == 0xec) { /* sub $imm32,%rsp */
			ret->size += op[3] | op[4] << 8 | op[5] << 16 | (uint32_t)op[6] << 24;
			return;
		} else {
			return;
		}
	}
}

struct error *nonstandard_frame(struct unwinder *unwinder, uint64_t pc, bool interrupted,
				uint64_t sp, struct nonstandard_frame *ret)
{
	struct symbol function = symbols_lookup(unwinder->symbols, pc - !interrupted);
	const struct stack_area *area = unwind_area(unwinder, sp);
	uint8_t code[PROLOGUE_BYTES];
	struct prologue prologue;

	if (!function.name || !area)
		return error_fault(ERROR_OTHER, pc, "0x%llx: ORC does not know the caller",
				   (unsigned long long)pc);
	struct error *err = memory_read(unwinder->memory, function.start, code, sizeof(code));
	if (err)
		return err;
	read_prologue(code, sizeof(code), &prologue);
	for (uint64_t at = sp; at < area->end && at < sp + SCAN_WORDS * WORD; at += WORD) {
		uint64_t word, target;
		err = memory_read_u64(unwinder->memory, at, &word);
		if (err)
			return err;
		if (!code_is(unwinder, word) ||
		    code_call_before(unwinder, word, &target) != CALL_DIRECT ||
		    !code_calls(target, function.start))
			continue;
		ret->return_at = at;
		ret->proven = at == sp + prologue.size;
		ret->bp_at = prologue.bp_offset && ret->proven ? at - prologue.bp_offset : 0;
		return NULL;
	}
	return error_fault(ERROR_OTHER, pc, "0x%llx: ORC does not know the caller of %s",
			   (unsigned long long)pc, function.name);
}
