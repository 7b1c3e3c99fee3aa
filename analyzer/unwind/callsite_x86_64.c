// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/callsite_x86_64.h"

#include <string.h>

#define CALL_MAX	 8 /* bytes of the longest call: prefix, opcode, ModRM, SIB, 32 bits */
#define CALL_DIRECT_SIZE 5
#define OPCODE_CALL	 0xe8
#define OPCODE_GROUP	 0xff /* ModRM.reg tells what; 2 is a near call */

/*
 * Call thunks (since 6.2, call depth tracking) stand in the padding before a
 * function, and a direct call may step over the endbr64 or the preamble of
 * FineIBT.
 */
#define PADDING 32

#define MAX_GENERATED (1u << 20) /* bytes of one BPF program or trampoline */

static bool is_within(uint64_t address, uint64_t start, uint64_t end)
{
	return address >= start && address < end;
}

bool code_is_bpf(struct unwinder *unwinder, uint64_t pc)
{
	static const char *const prefixes[] = { "bpf_prog_", "bpf_trampoline_", "bpf_dispatcher_" };
	const uint64_t *at = unwinder->symbols->at;

	if (is_within(pc, at[KSYM__stext], at[KSYM__etext]))
		return false;
	struct symbol symbol = symbols_lookup(unwinder->symbols, pc);
	for (size_t i = 0; symbol.name && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(symbol.name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

bool code_is(struct unwinder *unwinder, uint64_t pc)
{
	const uint64_t *at = unwinder->symbols->at;

	if (is_within(pc, at[KSYM__stext], at[KSYM__etext]) ||
	    is_within(pc, at[KSYM__sinittext], at[KSYM__einittext]))
		return true;
	const struct module *module = modules_find(&unwinder->symbols->modules, pc);
	if (module)
		return symbols_lookup(unwinder->symbols, pc).name;
	return code_is_bpf(unwinder, pc);
}

/* Whether the @size bytes at @code are a call through a register or memory, whole. */
static bool is_indirect_call(const uint8_t *code, size_t size)
{
	if (size > 2 && (*code & 0xf0) == 0x40) { /* REX */
		code++;
		size--;
	}
	if (size < 2 || *code != OPCODE_GROUP || (code[1] >> 3 & 7) != 2)
		return false;
	unsigned int mod = code[1] >> 6, rm = code[1] & 7;
	size_t expected = 2 + (mod != 3 && rm == 4); /* SIB */
	/* A base of 5 means none, but a displacement. */
	bool no_base = mod == 0 && (rm == 4 && size > 2 ? (code[2] & 7) == 5 : rm == 5);
	if (mod == 1)
		expected += 1;
	else if (mod == 2 || no_base)
		expected += 4;
	return size == expected;
}

enum call code_call_before(struct unwinder *unwinder, uint64_t address, uint64_t *target)
{
	const uint64_t *at = unwinder->symbols->at;
	uint8_t code[CALL_MAX];
	int32_t distance;

	/* The code of the boot is gone, and its memory is others'; but swapper/0 came from there. */
	if (is_within(address, at[KSYM__sinittext], at[KSYM__einittext]))
		return CALL_UNREADABLE;
	struct error *err =
		memory_read(unwinder->memory, address - sizeof(code), code, sizeof(code));
	if (err) {
		error_destroy(err);
		return CALL_UNREADABLE;
	}
	if (code[CALL_MAX - CALL_DIRECT_SIZE] == OPCODE_CALL) {
		memcpy(&distance, code + CALL_MAX - sizeof(distance), sizeof(distance));
		*target = address + distance;
		return CALL_DIRECT;
	}
	for (size_t size = 2; size <= CALL_MAX; size++)
		if (is_indirect_call(code + CALL_MAX - size, size))
			return CALL_INDIRECT;
	return CALL_NONE;
}

bool code_calls(uint64_t target, uint64_t start)
{
	return is_within(target, start - PADDING, start + PADDING);
}

/* arch/x86/lib/retpoline.S: where an indirect call goes that must not be predicted. */
static bool is_thunk(struct unwinder *unwinder, uint64_t target)
{
	static const char prefix[] = "__x86_indirect_";
	struct symbol symbol = symbols_lookup(unwinder->symbols, target);

	return symbol.name && !strncmp(symbol.name, prefix, strlen(prefix));
}

enum call code_call_of(struct unwinder *unwinder, uint64_t address, uint64_t inner, bool *proven)
{
	uint64_t target = 0;
	enum call call = code_call_before(unwinder, address, &target);

	*proven = false;
	if (call != CALL_DIRECT)
		return call;
	if (is_thunk(unwinder, target))
		return CALL_INDIRECT;
	struct symbol function = symbols_lookup(unwinder->symbols, inner);
	*proven = function.name ? code_calls(target, function.start)
				: target <= inner && inner - target < MAX_GENERATED;
	return call;
}
