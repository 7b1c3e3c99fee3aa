// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where nothing says how large a frame is, the words of the stack are looked
 * through for one that points behind a call instruction, as
 * arch/x86/kernel/unwind_guess.c does it. Remains of calls long over look the
 * same: all that is found so is a guess.
 */
#include "unwind/callsite_x86_64.h"
#include "unwind/walk_x86_64.h"

#define CHUNK_WORDS 64
#define MAX_SCAN    16384 /* bytes; no frame is larger */
#define IRET_WORDS  5 /* ip, cs, flags, sp, ss */

static bool is_return_address(struct unwinder *unwinder, uint64_t word)
{
	uint64_t target;

	return code_is(unwinder, word - 1) &&
	       code_call_before(unwinder, word, &target) != CALL_NONE;
}

/* Looks through [start, end), which is on one stack. */
static bool scan(struct unwinder *unwinder, struct walk *w, uint64_t start, uint64_t end)
{
	uint64_t words[CHUNK_WORDS];

	if (end - start > MAX_SCAN)
		end = start + MAX_SCAN;
	for (uint64_t at = start; at < end;) {
		size_t count = (end - at) / WORD < CHUNK_WORDS ? (end - at) / WORD : CHUNK_WORDS;
		struct error *err = count ? x86_64_read_words(unwinder, at, words, count) : NULL;
		if (err || !count) {
			error_destroy(err);
			return false;
		}
		for (size_t i = 0; i < count; i++, at += WORD) {
			if (!is_return_address(unwinder, words[i]))
				continue;
			w->pc = words[i];
			w->sp = at + WORD;
			w->interrupted = false;
			return true;
		}
	}
	return false;
}

/* At the end of an exception's stack is what the CPU pushed; at that of the interrupts' the stack pointer before. */
static bool leave_stack(struct unwinder *unwinder, struct walk *w, const struct stack_area *area)
{
	uint64_t words[IRET_WORDS];

	if (area->section == SECTION_TASK)
		return false;
	struct error *err =
		x86_64_read_words(unwinder, area->end - sizeof(words), words, IRET_WORDS);
	if (err) {
		error_destroy(err);
		return false;
	}
	if (area->section == SECTION_IRQ) {
		const struct stack_area *task = &unwinder->areas[0];
		uint64_t sp = words[IRET_WORDS - 1];
		return sp % WORD == 0 && unwind_area(unwinder, sp) == task &&
		       scan(unwinder, w, sp, task->end);
	}
	if (!code_is(unwinder, words[0]) || !unwind_area(unwinder, words[3]))
		return false;
	w->pc = words[0];
	w->sp = words[3];
	w->interrupted = true;
	return true;
}

bool x86_64_guess(struct unwinder *unwinder, struct walk *w)
{
	const struct stack_area *area = unwind_area(unwinder, w->sp);

	if (!area || w->sp % WORD)
		return false;
	w->reliable = false;
	w->registers_at = 0;
	w->has_registers = false;
	return scan(unwinder, w, w->sp, area->end) || leave_stack(unwinder, w, area);
}
