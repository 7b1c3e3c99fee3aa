// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stack without registers, from its outer end inwards. A function's calls
 * leave their return addresses in one place of its frame, each over the last;
 * ORC tells how far that is from where the function was called, and in a
 * kernel without it the word below is the function's frame pointer, which what
 * it called has saved there. So, step by step, the newest calls are found. What
 * they called may have returned since: the frames are guesses.
 */
#include "unwind/callsite_x86_64.h"
#include "unwind/walk_x86_64.h"

#define MAX_FRAME 2048 /* bytes; larger ones are rare in a kernel */
#define MAX_CALLS 64

/* A return address on the stack, and the function that was called, if that is known. */
struct place {
	uint64_t at;
	uint64_t pc;
	uint64_t called; /* where it begins, or 0 */
};

static bool read_place(struct unwinder *unwinder, uint64_t at, struct place *ret)
{
	*ret = (struct place){ .at = at };
	struct error *err = x86_64_read_words(unwinder, at, &ret->pc, 1);

	if (err) {
		error_destroy(err);
		return false;
	}
	if (!code_is(unwinder, ret->pc - 1))
		return false;
	enum call call = code_call_before(unwinder, ret->pc, &ret->called);
	if (call == CALL_DIRECT) {
		struct symbol symbol = symbols_lookup(unwinder->symbols, ret->called);
		ret->called = symbol.name && code_is(unwinder, ret->called) ? symbol.start : 0;
	}
	return call == CALL_DIRECT || call == CALL_INDIRECT;
}

static uint64_t read_word(const struct unwinder *unwinder, uint64_t at)
{
	uint64_t word = 0;

	error_destroy(x86_64_read_words(unwinder, at, &word, 1));
	return word;
}

/* Whether the function that @place returns to was called with its return address at @outer. */
static bool leads_to(struct unwinder *unwinder, const struct place *place, uint64_t outer)
{
	struct orc_entry entry;

	if (unwinder->method == UNWIND_FRAME_POINTERS)
		return read_word(unwinder, place->at - WORD) == outer - WORD;
	struct error *err = orc_find(&unwinder->orc, place->pc - 1, &entry);

	if (err) {
		error_destroy(err);
		return false;
	}
	return entry.type == ORC_TYPE_CALL && entry.sp_reg == ORC_REG_SP &&
	       place->at + WORD + entry.sp_offset == outer + WORD;
}

/* The newest call of the function that was called at @outer; of just that function, if that is known and @exact. */
static bool find_inner(struct unwinder *unwinder, const struct place *outer, bool exact,
		       struct place *ret)
{
	for (uint64_t size = WORD; size <= MAX_FRAME; size += WORD) {
		if (!read_place(unwinder, outer->at - size, ret) ||
		    !leads_to(unwinder, ret, outer->at))
			continue;
		if (!exact || !outer->called ||
		    symbols_lookup(unwinder->symbols, ret->pc - 1).start == outer->called)
			return true;
	}
	return false;
}

bool x86_64_inward(struct unwinder *unwinder, uint64_t at, struct registers *ret)
{
	struct place place, inner;

	if (unwinder->method == UNWIND_GUESS || !read_place(unwinder, at, &place))
		return false;
	/* The frame pointer of what @place returns to. */
	uint64_t bp = read_word(unwinder, at - WORD);
	/* A function that ends with a jump to another has handed its frame on to that. */
	for (int i = 0; i < MAX_CALLS && (find_inner(unwinder, &place, true, &inner) ||
					  find_inner(unwinder, &place, false, &inner));
	     i++) {
		bp = place.at - WORD;
		place = inner;
	}
	uint64_t exact_at = ret->exact_at;
	*ret = (struct registers){
		.trust = REGISTERS_GUESSED,
		.known = 1 << IP | 1 << SP | (unwinder->method == UNWIND_FRAME_POINTERS) << BP,
		.exact_at = exact_at,
	};
	/* At its beginning a function has nothing but the return address on the stack. */
	ret->values[IP] = place.called ? place.called : place.pc;
	ret->values[SP] = place.called ? place.at : place.at + WORD;
	if (unwinder->method == UNWIND_FRAME_POINTERS)
		ret->values[BP] = bp;
	return true;
}
