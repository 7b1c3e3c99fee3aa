// SPDX-License-Identifier: GPL-2.0-only
/* ORC tables: which entry covers an address, and what its bits mean. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "test.h"
#include "unwind/orc.h"

static struct kernel *open_kernel(const char *text)
{
	struct make_kernel k;

	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, text);
	struct kernel *kernel = make_kernel_open(&k);
	make_kernel_deinit(&k);
	return kernel;
}

static struct orc_entry find(struct kernel *kernel, uint64_t pc)
{
	struct orc_entry entry;

	assert_no_error(orc_find(&kernel->unwinder.orc, pc, &entry));
	return entry;
}

static void an_entry_covers_up_to_the_next(void **state)
{
	struct kernel *kernel = open_kernel("symbol foo 0xffffffff81000100\n"
					    "orc foo call sp 8\n"
					    "orc foo+1 call sp 16 prev_sp -16\n"
					    "orc foo+0x40 call sp 32\n");

	(void)state;
	assert_int_equal(find(kernel, 0xffffffff81000000).type, ORC_TYPE_END_OF_STACK);
	assert_int_equal(find(kernel, 0xffffffff810000ff).type, ORC_TYPE_END_OF_STACK);
	assert_int_equal(find(kernel, 0xffffffff81000100).sp_offset, 8);
	assert_int_equal(find(kernel, 0xffffffff81000101).sp_offset, 16);
	assert_int_equal(find(kernel, 0xffffffff81000101).bp_offset, -16);
	assert_int_equal(find(kernel, 0xffffffff8100013f).sp_offset, 16);
	assert_int_equal(find(kernel, 0xffffffff81000140).sp_offset, 32);
	assert_int_equal(find(kernel, 0xffffffff81ffffff).sp_offset, 32);
	kernel_close(kernel);
}

#define HASH_6_3                                             \
	"0xdb 0x84 0xae 0xd4 0x10 0x3b 0x31 0xdd 0x51 0xe0 " \
	"0x17 0xf8 0xf7 0x97 0x83 0xca 0x98 0x5c 0x2c 0x51\n"
#define HASH_6_4                                             \
	"0xfe 0x5d 0x32 0xbf 0x58 0x1b 0xd6 0x3b 0x2c 0xa9 " \
	"0xa5 0xc6 0x5b 0xa5 0xa6 0x25 0xea 0xb3 0xfe 0x24\n"
#define HASH_7_1                                             \
	"0x13 0x7c 0x36 0xad 0x76 0x27 0xc4 0xdd 0x55 0x93 " \
	"0x21 0x76 0xbb 0x0e 0xcd 0xbd 0x50 0x41 0xfc 0x82\n"
#define HASHED "symbol orc_header 0xffffffff82300000 r\n at orc_header\n u8 "

/* How a kernel says which format it has. */
static const struct {
	const char *name, *text;
} formats[] = {
	{ "4.14", "orc_format 4.14\n" },
	{ "4.14, by members",
	  "orc_format 4.14\n struct orc_entry 6 sp_offset:u16@0 type:u8@5 end:u8@5\n" },
	{ "6.3", "orc_format 6.3\n" HASHED HASH_6_3 },
	{ "6.3, by members",
	  "orc_format 6.3\n struct orc_entry 6 type:u8@5 signal:u8@5 end:u8@5\n" },
	{ "6.4", "orc_format 6.4\n" HASHED HASH_6_4 },
	{ "6.4, by members", "orc_format 6.4\n struct orc_entry 6 type:u8@5 signal:u8@5\n" },
	{ "7.1", "orc_format 7.1\n" HASHED HASH_7_1 },
};

static void every_bit(void **state)
{
	static const struct {
		const char *text;
		struct orc_entry entry;
	} cases[] = {
		{ "call sp 8", { 8, 0, ORC_REG_SP, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call bp 16 prev_sp -16",
		  { 16, -16, ORC_REG_BP, ORC_REG_PREV_SP, ORC_TYPE_CALL, false } },
		{ "call sp -32768 bp 32767",
		  { -32768, 32767, ORC_REG_SP, ORC_REG_BP, ORC_TYPE_CALL, false } },
		{ "call dx 0", { 0, 0, ORC_REG_DX, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call di 0", { 0, 0, ORC_REG_DI, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call r10 0", { 0, 0, ORC_REG_R10, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call r13 0", { 0, 0, ORC_REG_R13, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call ax 0", { 0, 0, ORC_REG_AX, ORC_REG_UNDEFINED, ORC_TYPE_CALL, false } },
		{ "call bp_indirect -8", { -8, 0, ORC_REG_BP_INDIRECT, 0, ORC_TYPE_CALL, false } },
		{ "call sp_indirect 8", { 8, 0, ORC_REG_SP_INDIRECT, 0, ORC_TYPE_CALL, false } },
		{ "regs sp 16", { 16, 0, ORC_REG_SP, 0, ORC_TYPE_REGS, true } },
		{ "partial sp 8", { 8, 0, ORC_REG_SP, 0, ORC_TYPE_REGS_PARTIAL, true } },
		{ "none", { 0, 0, ORC_REG_UNDEFINED, 0, ORC_TYPE_UNDEFINED, false } },
		{ "end", { 0, 0, ORC_REG_UNDEFINED, 0, ORC_TYPE_END_OF_STACK, false } },
	};

	(void)state;
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			char text[512];
			snprintf(text, sizeof(text), "%sorc _stext+0x10 %s\n", formats[f].text,
				 cases[i].text);
			struct kernel *kernel = open_kernel(text);
			assert_null(kernel->unwinder.error);
			struct orc_entry entry = find(kernel, 0xffffffff81000010);
			if (entry.sp_offset != cases[i].entry.sp_offset ||
			    entry.bp_offset != cases[i].entry.bp_offset ||
			    entry.sp_reg != cases[i].entry.sp_reg ||
			    entry.bp_reg != cases[i].entry.bp_reg ||
			    entry.type != cases[i].entry.type ||
			    entry.signal != cases[i].entry.signal)
				fail_msg("%s: %s", formats[f].name, cases[i].text);
			kernel_close(kernel);
		}
	}
}

/* A call whose caller was interrupted: 6.3 has told that apart from what is on the stack. */
static void a_signal_without_registers(void **state)
{
	(void)state;
	for (size_t f = 2; f < sizeof(formats) / sizeof(formats[0]); f++) {
		char text[512];
		snprintf(text, sizeof(text), "%sorc _stext+0x10 signal sp 8\n", formats[f].text);
		struct kernel *kernel = open_kernel(text);
		assert_int_equal(find(kernel, 0xffffffff81000010).type, ORC_TYPE_CALL);
		assert_true(find(kernel, 0xffffffff81000010).signal);
		kernel_close(kernel);
	}
}

/* Types and registers that no kernel has. */
static void bits_without_a_meaning(void **state)
{
	struct kernel *kernel = open_kernel("orc_format 7.1\n" HASHED HASH_7_1);
	struct orc_entry entry;

	(void)state;
	static const uint8_t raw[] = { 0, 0, 0, 0, 0xff, 0x07 };
	kernel->unwinder.orc.decode(raw, &entry);
	assert_int_equal(entry.type, ORC_TYPE_UNDEFINED);
	assert_int_equal(entry.sp_reg, ORC_REG_INVALID);
	kernel_close(kernel);
}

static void what_no_table_covers(void **state)
{
	struct kernel *kernel = open_kernel("");
	struct orc_entry entry;

	(void)state;
	/* In front of the tables, and behind the kernel. */
	assert_error(orc_find(&kernel->unwinder.orc, 0xffffffff80ffffff, &entry), ERROR_NOT_FOUND,
		     "nothing covers");
	assert_error(orc_find(&kernel->unwinder.orc, 0xffffffffc0001234, &entry), ERROR_NOT_FOUND,
		     "nothing covers");
	assert_error(orc_find(&kernel->unwinder.orc, 0, &entry), ERROR_NOT_FOUND, "nothing covers");
	assert_error(orc_find(&kernel->unwinder.orc, UINT64_MAX, &entry), ERROR_NOT_FOUND,
		     "nothing covers");
	kernel_close(kernel);
}

#define MODULE                                                                                      \
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"                                               \
	"struct module_layout 80 base:ptr@0 size:u32@8\n"                                           \
	"struct mod_arch_specific 32 num_orcs:u32@0 orc_unwind_ip:ptr@8 orc_unwind:ptr@16\n"        \
	"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"                      \
	"struct module 512 state:u32@0 list:list_head@8 name:char[56]@24 core_layout:"              \
	"module_layout@96 init_layout:module_layout@176 arch:mod_arch_specific@256 taints:u64@288 " \
	"kallsyms:ptr@296\n"                                                                        \
	"symbol modules 0xffffffff82900000 D\n"                                                     \
	"symbol mod 0xffffffffc0102000 D\n"                                                         \
	"at modules\n u64 mod+8\n at mod+0x18\n str mod\n"                                          \
	"set mod module.list.next modules\n"                                                        \
	"set mod module.core_layout.base 0xffffffffc0100000\n"                                      \
	"set mod module.core_layout.size 0x3000\n"                                                  \
	"set mod module.arch.orc_unwind_ip 0xffffffffc0102800\n"                                    \
	"set mod module.arch.orc_unwind 0xffffffffc0102900\n"                                       \
	"at 0xffffffffc0102800\n u32 0xffffd900 0xffffd90c\n" /* 0xffffffffc0100100, ...110 */      \
	"at 0xffffffffc0102900\n u16 24 0 5 32 0 5\n"

static void a_modules_own_table(void **state)
{
	struct kernel *kernel = open_kernel(MODULE "set mod module.arch.num_orcs 2\n");
	struct orc_entry entry;

	(void)state;
	assert_int_equal(find(kernel, 0xffffffffc0100100).sp_offset, 24);
	assert_int_equal(find(kernel, 0xffffffffc010010f).sp_offset, 24);
	assert_int_equal(find(kernel, 0xffffffffc0100110).sp_offset, 32);
	assert_int_equal(find(kernel, 0xffffffffc0102fff).sp_offset, 32);
	assert_error(orc_find(&kernel->unwinder.orc, 0xffffffffc01000ff, &entry), ERROR_NOT_FOUND,
		     "nothing covers");
	kernel_close(kernel);
}

static void hostile_tables_of_modules(void **state)
{
	static const struct {
		const char *text;
		enum error_class class;
	} cases[] = {
		{ MODULE "set mod module.arch.num_orcs 0\n", ERROR_NOT_FOUND },
		{ MODULE "set mod module.arch.num_orcs 0xffffffff\n", ERROR_NOT_FOUND },
		{ MODULE "set mod module.arch.num_orcs 0x1000000\n", ERROR_UNMAPPED },
		{ MODULE "set mod module.arch.num_orcs 2\n set mod module.arch.orc_unwind_ip 0\n",
		  ERROR_UNMAPPED },
		{ MODULE "set mod module.arch.num_orcs 2\n set mod module.arch.orc_unwind 8\n",
		  ERROR_UNMAPPED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel *kernel = open_kernel(cases[i].text);
		struct orc_entry entry;
		assert_error(orc_find(&kernel->unwinder.orc, 0xffffffffc0100104, &entry),
			     cases[i].class, "");
		kernel_close(kernel);
	}
}

/* Stacks are guesses then, and the reason names the hash. */
static void a_format_that_is_not_known(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ HASHED "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 255\n",
		  "hash 000102030405060708090a0b0c0d0e0f101112ff is not known" },
		{ "symbol orc_header 0xffffffff82300000 r\n", "orc_header" }, /* no memory */
		{ "symbol __stop_orc_unwind_ip 0xffffffff81000000 D\n", "a table of" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel *kernel = open_kernel(cases[i].text);
		assert_int_equal(kernel->unwinder.method, UNWIND_GUESS);
		if (!kernel->unwinder.error ||
		    !strstr(kernel->unwinder.error->message, cases[i].says))
			fail_msg("case %zu: no '%s'", i, cases[i].says);
		kernel_close(kernel);
	}
}

/* The pages of the first table, of 1024 entries each: each of them missing once, and any two neighbours. */
static void tables_with_holes(void **state)
{
	enum { NR = 6000 };

	(void)state;
	for (unsigned int hole = 0; hole < 12; hole++) {
		struct make_kernel k;
		unsigned int lost = 0;
		make_kernel_init(&k);
		make_kernel_text(&k, made_kernel_minimum);
		for (unsigned int i = 0; i < NR; i++)
			make_kernel_line(&k, "orc 0x%llx call sp %u",
					 0xffffffff81001000ull + 16 * i, 8 + i % 1000 * 8);
		make_kernel_line(&k, "exclude 0x%llx",
				 0xffffffff8d000000ull + hole / 2 * 0x1000ull);
		if (hole % 2)
			make_kernel_line(&k, "exclude 0x%llx",
					 0xffffffff8d000000ull + (hole / 2 + 1) % 6 * 0x1000ull);
		struct kernel *kernel = make_kernel_open(&k);
		for (unsigned int i = 0; i < NR; i++) {
			struct orc_entry entry;
			struct error *err = orc_find(&kernel->unwinder.orc,
						     0xffffffff81001000ull + 16 * i + 5, &entry);
			if (!err)
				assert_int_equal(entry.sp_offset, 8 + i % 1000 * 8);
			else
				assert_error(err, ERROR_EXCLUDED, "excluded");
			lost += !!err;
		}
		/* Of two neighbours the search may end before either. */
		if (hole % 2 == 0)
			assert_true(lost > 800 && lost <= 1026);
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an entry covers the code up to the next", an_entry_covers_up_to_the_next),
		TEST("registers, offsets and types of an entry, in each format", every_bit),
		TEST("a call may be of interrupted code, since 6.3", a_signal_without_registers),
		TEST("bits without a meaning are no caller", bits_without_a_meaning),
		TEST("code that no table covers is told apart", what_no_table_covers),
		TEST("a module's code is in its own table", a_modules_own_table),
		TEST("hostile tables of a module are errors", hostile_tables_of_modules),
		TEST("what is not in the dump costs its own entries", tables_with_holes),
		TEST("a format that is not known is named by its hash", a_format_that_is_not_known),
	};
	return RUN_TESTS(tests);
}
