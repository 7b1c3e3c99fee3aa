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

static void every_bit(void **state)
{
	static const struct {
		const char *text;
		struct orc_entry entry;
	} cases[] = {
		{ "call sp 8", { 8, 0, ORC_REG_SP, ORC_REG_UNDEFINED, ORC_TYPE_CALL } },
		{ "call bp 16 prev_sp -16",
		  { 16, -16, ORC_REG_BP, ORC_REG_PREV_SP, ORC_TYPE_CALL } },
		{ "call sp -32768 bp 32767",
		  { -32768, 32767, ORC_REG_SP, ORC_REG_BP, ORC_TYPE_CALL } },
		{ "call dx 0", { 0, 0, ORC_REG_DX, ORC_REG_UNDEFINED, ORC_TYPE_CALL } },
		{ "call di 0", { 0, 0, ORC_REG_DI, ORC_REG_UNDEFINED, ORC_TYPE_CALL } },
		{ "call r10 0", { 0, 0, ORC_REG_R10, ORC_REG_UNDEFINED, ORC_TYPE_CALL } },
		{ "call r13 0", { 0, 0, ORC_REG_R13, ORC_REG_UNDEFINED, ORC_TYPE_CALL } },
		{ "call bp_indirect -8", { -8, 0, ORC_REG_BP_INDIRECT, 0, ORC_TYPE_CALL } },
		{ "call sp_indirect 8", { 8, 0, ORC_REG_SP_INDIRECT, 0, ORC_TYPE_CALL } },
		{ "regs sp 16", { 16, 0, ORC_REG_SP, 0, ORC_TYPE_REGS } },
		{ "partial sp 8", { 8, 0, ORC_REG_SP, 0, ORC_TYPE_REGS_PARTIAL } },
		{ "none", { 0, 0, ORC_REG_UNDEFINED, 0, ORC_TYPE_UNDEFINED } },
		{ "end", { 0, 0, ORC_REG_UNDEFINED, 0, ORC_TYPE_END_OF_STACK } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];
		snprintf(text, sizeof(text), "orc _stext+0x10 %s\n", cases[i].text);
		struct kernel *kernel = open_kernel(text);
		struct orc_entry entry = find(kernel, 0xffffffff81000010);
		assert_int_equal(entry.sp_offset, cases[i].entry.sp_offset);
		assert_int_equal(entry.bp_offset, cases[i].entry.bp_offset);
		assert_int_equal(entry.sp_reg, cases[i].entry.sp_reg);
		assert_int_equal(entry.bp_reg, cases[i].entry.bp_reg);
		assert_int_equal(entry.type, cases[i].entry.type);
		kernel_close(kernel);
	}
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

static void formats(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: it is known */
	} cases[] = {
		{ "info OSRELEASE=5.10.0-1-amd64\n", NULL },
		{ "info OSRELEASE=6.2.16\n", NULL },
		{ "info OSRELEASE=6.3.0\n", "6.3.0 is not known" },
		{ "info OSRELEASE=7.2.0-cloud\n", "7.2.0-cloud is not known" },
		{ "info OSRELEASE=6.1\n symbol orc_header 0xffffffff82300000 D\n", "not known" },
		{ "info OSRELEASE=nonsense\n", "not known" },
		{ "info OSRELEASE=\n", "not known" },
		{ "info OSRELEASE=6.1-0123456789012345678901234567890123456789012345678901234567890123\n",
		  "OSRELEASE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_kernel k;
		struct kernel *kernel;
		make_kernel_init(&k);
		make_kernel_text(&k, made_kernel_minimum);
		make_kernel_text(&k, cases[i].text);
		if (cases[i].says) {
			assert_kernel_lacks(&k, cases[i].says);
		} else {
			kernel = make_kernel_open(&k);
			assert_int_equal(kernel->lacks.count, 0);
			kernel_close(kernel);
		}
		make_kernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an entry covers the code up to the next", an_entry_covers_up_to_the_next),
		TEST("registers, offsets and types of an entry up to 6.2", every_bit),
		TEST("code that no table covers is told apart", what_no_table_covers),
		TEST("a module's code is in its own table", a_modules_own_table),
		TEST("hostile tables of a module are errors", hostile_tables_of_modules),
		TEST("a format that is not known is refused by the kernel's release", formats),
	};
	return RUN_TESTS(tests);
}
