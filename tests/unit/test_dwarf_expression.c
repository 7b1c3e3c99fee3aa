// SPDX-License-Identifier: GPL-2.0-only
/* DWARF's stack machine: what each operation does, and expressions that lead nowhere. */
#include <dwarf.h>
#include <string.h>

#include "make_kernel.h"
#include "symbols/dwarf_expression.h"
#include "test.h"

#define AT 0xffffffff82500000ull /* 0x1122334455667788, then 0x99 */

struct fixture {
	struct make_kernel k;
	struct made_memory memory;
	struct expression_context context;
};

/* Register n holds 1000 + n; there are 8. */
static bool read_register(void *data, unsigned int number, uint64_t *ret)
{
	(void)data;
	*ret = 1000 + number;
	return number < 8;
}

static bool frame_address(void *data, uint64_t *ret)
{
	(void)data;
	*ret = AT;
	return true;
}

static int open_memory(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	make_kernel_init(&f.k);
	make_kernel_line(&f.k, "at 0x%llx\n u64 0x1122334455667788 0x99", AT);
	make_kernel_open_memory(&f.k, &f.memory);
	f.context = (struct expression_context){
		.memory = &f.memory.memory,
		.bias = 0x100,
		.read_register = read_register,
		.frame_address = frame_address,
	};
	*state = &f;
	return 0;
}

static int close_memory(void **state)
{
	struct fixture *f = *state;

	made_memory_close(&f->memory);
	make_kernel_deinit(&f->k);
	return 0;
}

/* Each operation is taken to be a byte long, but for branches, which are three. */
static size_t place(Dwarf_Op *ops, size_t most)
{
	size_t count = 0, offset = 0;

	while (count < most && ops[count].atom) {
		ops[count].offset = offset;
		offset += ops[count].atom == DW_OP_bra || ops[count].atom == DW_OP_skip ? 3 : 1;
		count++;
	}
	return count;
}

#define MAX_OPS 8
#define UNKNOWN 0xdeadbeefdeadbeefull

struct expression {
	Dwarf_Op ops[MAX_OPS];
	uint64_t value;
};

static void assert_values(struct fixture *f, struct expression *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;
		size_t nr_ops = place(cases[i].ops, MAX_OPS);
		if (!expression_word(&f->context, cases[i].ops, nr_ops, false, &value))
			value = UNKNOWN;
		if (value != cases[i].value)
			fail_msg("case %zu: 0x%llx", i, (unsigned long long)value);
	}
}

#define ASSERT_VALUES(f, cases) assert_values(f, cases, sizeof(cases) / sizeof((cases)[0]))

static void operations(void **state)
{
	struct expression cases[] = {
		{ { { DW_OP_lit31 } }, 31 },
		{ { { DW_OP_addr, 0x5000 } }, 0x5100 },
		{ { { DW_OP_const8u, -1 } }, -1 },
		{ { { DW_OP_breg3, -3 } }, 1000 },
		{ { { DW_OP_bregx, 7, 1 } }, 1008 },
		{ { { DW_OP_reg5 } }, 1005 },
		{ { { DW_OP_regx, 6 } }, 1006 },
		{ { { DW_OP_call_frame_cfa }, { DW_OP_deref } }, 0x1122334455667788 },
		{ { { DW_OP_call_frame_cfa }, { DW_OP_deref_size, 2 } }, 0x7788 },
		{ { { DW_OP_lit3 }, { DW_OP_lit5 }, { DW_OP_minus } }, -2 },
		{ { { DW_OP_lit3 }, { DW_OP_lit5 }, { DW_OP_mul }, { DW_OP_plus_uconst, 9 } }, 24 },
		{ { { DW_OP_const1s, -7 }, { DW_OP_lit2 }, { DW_OP_div } }, -3 },
		{ { { DW_OP_lit7 }, { DW_OP_lit4 }, { DW_OP_mod } }, 3 },
		{ { { DW_OP_lit1 }, { DW_OP_const1u, 63 }, { DW_OP_shl } }, 1ull << 63 },
		{ { { DW_OP_lit1 }, { DW_OP_const1u, 64 }, { DW_OP_shl } }, 0 },
		{ { { DW_OP_const1s, -8 }, { DW_OP_lit1 }, { DW_OP_shra } }, -4 },
		{ { { DW_OP_const1s, -8 }, { DW_OP_const1u, 99 }, { DW_OP_shra } }, -1 },
		{ { { DW_OP_const1s, -8 }, { DW_OP_const1u, 60 }, { DW_OP_shr } }, 15 },
		{ { { DW_OP_const1s, -8 }, { DW_OP_abs } }, 8 },
		{ { { DW_OP_lit1 }, { DW_OP_neg }, { DW_OP_not } }, 0 },
		{ { { DW_OP_lit12 }, { DW_OP_lit10 }, { DW_OP_xor } }, 6 },
		{ { { DW_OP_lit12 }, { DW_OP_lit10 }, { DW_OP_and } }, 8 },
		{ { { DW_OP_lit12 }, { DW_OP_lit10 }, { DW_OP_or } }, 14 },
		{ { { DW_OP_const1s, -1 }, { DW_OP_lit1 }, { DW_OP_lt } }, 1 },
		{ { { DW_OP_const1s, -1 }, { DW_OP_lit1 }, { DW_OP_ge } }, 0 },
		{ { { DW_OP_lit2 }, { DW_OP_lit2 }, { DW_OP_le } }, 1 },
		{ { { DW_OP_lit2 }, { DW_OP_lit2 }, { DW_OP_gt } }, 0 },
		{ { { DW_OP_lit2 }, { DW_OP_lit2 }, { DW_OP_eq } }, 1 },
		{ { { DW_OP_lit2 }, { DW_OP_lit2 }, { DW_OP_ne } }, 0 },
		{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_swap }, { DW_OP_minus } }, 1 },
		{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_over } }, 1 },
		{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_drop } }, 1 },
		{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_lit3 }, { DW_OP_rot }, { DW_OP_drop } },
		  1 },
		{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_lit3 }, { DW_OP_rot } }, 2 },
		{ { { DW_OP_lit9 }, { DW_OP_dup }, { DW_OP_plus }, { DW_OP_nop } }, 18 },
		{ { { DW_OP_lit9 }, { DW_OP_stack_value } }, 9 },
		/* if (1) 5 else 6 */
		{ { { DW_OP_lit5 },
		    { DW_OP_lit1 },
		    { DW_OP_bra, 2 },
		    { DW_OP_drop },
		    { DW_OP_lit6 } },
		  5 },
		{ { { DW_OP_lit5 },
		    { DW_OP_lit0 },
		    { DW_OP_bra, 2 },
		    { DW_OP_drop },
		    { DW_OP_lit6 } },
		  6 },
		{ { { DW_OP_lit5 }, { DW_OP_skip, 1 }, { DW_OP_drop } }, 5 },
	};

	ASSERT_VALUES((struct fixture *)*state, cases);
}

static void expressions_that_lead_nowhere(void **state)
{
	struct expression cases[] = {
		{ { {} }, UNKNOWN },
		{ { { DW_OP_plus } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_plus } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_lit0 }, { DW_OP_div } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_lit0 }, { DW_OP_mod } }, UNKNOWN },
		{ { { DW_OP_const8u, INT64_MIN }, { DW_OP_const1s, -1 }, { DW_OP_div } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_pick, 1 } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_rot } }, UNKNOWN },
		{ { { DW_OP_drop } }, UNKNOWN },
		{ { { DW_OP_breg9, 0 } }, UNKNOWN }, /* a register that is not known */
		{ { { DW_OP_reg9 } }, UNKNOWN },
		{ { { DW_OP_regx, UINT64_MAX } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_deref } }, UNKNOWN }, /* no memory */
		{ { { DW_OP_call_frame_cfa }, { DW_OP_deref_size, 9 } }, UNKNOWN },
		{ { { DW_OP_call_frame_cfa }, { DW_OP_deref_size, 0 } }, UNKNOWN },
		{ { { DW_OP_fbreg, 0 } }, UNKNOWN }, /* no frame base */
		{ { { DW_OP_entry_value } }, UNKNOWN }, /* no caller */
		{ { { DW_OP_convert, 0x20 } }, UNKNOWN }, /* no types */
		{ { { DW_OP_implicit_value, 8 } }, UNKNOWN },
		{ { { DW_OP_addrx, 1 } }, UNKNOWN },
		{ { { DW_OP_stack_value } }, UNKNOWN },
		{ { { DW_OP_call4, 5 } }, UNKNOWN },
		{ { { 0xff } }, UNKNOWN },
		/* For ever; with a stack that grows, and with one that does not. */
		{ { { DW_OP_skip, -3 } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_skip, -4 } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_bra, -4 } }, UNKNOWN },
		/* Into the middle of an operation, and before the first. */
		{ { { DW_OP_lit1 }, { DW_OP_skip, -1 }, { DW_OP_nop } }, UNKNOWN },
		{ { { DW_OP_lit1 }, { DW_OP_skip, -100 } }, UNKNOWN },
	};

	ASSERT_VALUES((struct fixture *)*state, cases);
}

/* Reads an object of @size bytes; those that are not known are 0xee. */
static void assert_object(struct fixture *f, Dwarf_Op ops[MAX_OPS], size_t size,
			  const char *expected)
{
	uint8_t bytes[32] = {};
	bool known[32];

	expression_read(&f->context, ops, place(ops, MAX_OPS), bytes, known, size);
	for (size_t i = 0; i < size; i++)
		if (!known[i])
			bytes[i] = 0xee;
	assert_memory_equal(bytes, expected, size);
}

static void objects_and_pieces(void **state)
{
	struct fixture *f = *state;

	f->context.unreadable = false;
	/* In memory; in a register; a value. */
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_const8u, AT } }, 10,
		      "\x88\x77\x66\x55\x44\x33\x22\x11\x99\x00");
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_reg1 } }, 2, "\xe9\x03");
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_const2u, 0x4142 }, { DW_OP_stack_value } }, 4,
		      "BA\0");
	/* Too large for a register. */
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_reg1 } }, 9,
		      "\xee\xee\xee\xee\xee\xee\xee\xee\xee");
	/* A register, nothing, memory, and no more. */
	assert_object(f,
		      (Dwarf_Op[MAX_OPS]){ { DW_OP_reg1 },
					   { DW_OP_piece, 2 },
					   { DW_OP_piece, 1 },
					   { DW_OP_const8u, AT },
					   { DW_OP_piece, 2 } },
		      6, "\xe9\x03\xee\x88\x77\xee");
	/* The last one is longer than the object. */
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_reg1 }, { DW_OP_piece, UINT64_MAX } }, 2,
		      "\xe9\x03");
	assert_object(f,
		      (Dwarf_Op[MAX_OPS]){ { DW_OP_lit1 },
					   { DW_OP_stack_value },
					   { DW_OP_bit_piece, 8 },
					   { DW_OP_lit2 },
					   { DW_OP_stack_value },
					   { DW_OP_bit_piece, 3 } },
		      2, "\x01\xee");
	assert_false(f->context.unreadable);
	assert_object(f, (Dwarf_Op[MAX_OPS]){ { DW_OP_lit1 } }, 2, "\xee\xee");
	assert_true(f->context.unreadable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("every operation does what DWARF says", operations),
		TEST("expressions that lead nowhere end, and are not known",
		     expressions_that_lead_nowhere),
		TEST("an object is in memory, in registers, or in pieces", objects_and_pieces),
	};
	return cmocka_run_group_tests(tests, open_memory, close_memory);
}
