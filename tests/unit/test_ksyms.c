// SPDX-License-Identifier: GPL-2.0-only
/* Names for addresses, from text like /proc/kallsyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/ksyms.h"

static const char kallsyms[] = "0000000000000000 A fixed_percpu_data\n"
			       "ffffffff81000000 T _stext\n"
			       "ffffffff81000000 T _text\n"
			       "ffffffff81000040 T alpha\n"
			       "ffffffff81000100 t beta\n"
			       "ffffffff81000180 W gamma\n"
			       "ffffffff82000000 D some_data\n"
			       "ffffffffc0300000 t late_init\t[second]\n"
			       "ffffffffc0300080 t late_exit\t[second]\n"
			       "ffffffffc0200000 t spin\t[first]\n"
			       "ffffffffc0200050 t hang\t[first]\n"
			       "ffffffffc0201000 d data\t[first]\n"
			       "nonsense\n"
			       "ffffffffc0200070\n";

static void resolve(const char *text, struct ksym *syms, size_t count)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(in);
	struct error *err = ksyms_resolve(in, syms, count);
	assert_null(err);
	fclose(in);
}

static struct ksym resolve_one(uint64_t pc)
{
	struct ksym sym = { .pc = pc };

	resolve(kallsyms, &sym, 1);
	return sym;
}

static void test_inside(void **state)
{
	struct ksym sym = resolve_one(0xffffffff81000064);

	(void)state;
	assert_string_equal(sym.name, "alpha");
	assert_string_equal(sym.module, "");
	assert_int_equal(sym.address, 0xffffffff81000040);
	assert_int_equal(sym.size, 0xc0);
}

static void test_edges(void **state)
{
	(void)state;
	assert_string_equal(resolve_one(0xffffffff81000100).name, "beta");
	assert_string_equal(resolve_one(0xffffffff810000ff).name, "alpha");
}

static void test_alias(void **state)
{
	(void)state;
	assert_string_equal(resolve_one(0xffffffff81000001).name, "_stext");
}

static void test_module(void **state)
{
	struct ksym sym = resolve_one(0xffffffffc0200015);

	(void)state;
	assert_string_equal(sym.name, "spin");
	assert_string_equal(sym.module, "first");
	assert_int_equal(sym.size, 0x50);
}

static void test_last_of_module(void **state)
{
	struct ksym sym = resolve_one(0xffffffffc0300099);

	(void)state;
	assert_string_equal(sym.name, "late_exit");
	assert_int_equal(sym.size, 0);
	/* The next symbol up is another module's: it says nothing of this one's end. */
	sym = resolve_one(0xffffffffc0200060);
	assert_string_equal(sym.name, "hang");
	assert_int_equal(sym.size, 0xfb0);
}

static void test_below_all(void **state)
{
	(void)state;
	assert_int_equal(resolve_one(0x1000).address, 0);
}

static void test_many(void **state)
{
	struct ksym syms[] = {
		{ .pc = 0xffffffffc0200051 }, { .pc = 0xffffffff81000044 },
		{ .pc = 0xffffffff81000042 }, { .pc = 0xffffffff81000042 },
		{ .pc = 0xffffffffc0300001 }, { .pc = 0xffffffff81000190 },
	};
	const size_t count = sizeof(syms) / sizeof(syms[0]);

	(void)state;
	resolve(kallsyms, syms, count);
	assert_string_equal(ksyms_find(syms, count, 0xffffffff81000042)->name, "alpha");
	assert_string_equal(ksyms_find(syms, count, 0xffffffff81000044)->name, "alpha");
	assert_int_equal(ksyms_find(syms, count, 0xffffffff81000044)->size, 0xc0);
	assert_string_equal(ksyms_find(syms, count, 0xffffffff81000190)->name, "gamma");
	assert_string_equal(ksyms_find(syms, count, 0xffffffffc0200051)->name, "hang");
	assert_string_equal(ksyms_find(syms, count, 0xffffffffc0300001)->name, "late_init");
	assert_null(ksyms_find(syms, count, 0xffffffff81000043));
	assert_null(ksyms_find(syms, count, ~0ULL));
}

static void test_hidden(void **state)
{
	struct ksym sym = { .pc = 0xffffffff81000064 };

	(void)state;
	resolve("0000000000000000 T _stext\n0000000000000000 T alpha\n", &sym, 1);
	assert_int_equal(sym.address, 0);
}

static void test_long_name(void **state)
{
	struct ksym sym = { .pc = 0xffffffff81000001 };
	char text[1024] = "ffffffff81000000 T ";

	(void)state;
	memset(text + strlen(text), 'x', 900);
	strcat(text, "\n");
	resolve(text, &sym, 1);
	assert_int_equal(strlen(sym.name), KSYM_TEXT_SIZE - 1);
}

static void test_nothing_wanted(void **state)
{
	(void)state;
	resolve(kallsyms, NULL, 0);
}

static void test_look_up(void **state)
{
	struct ksym_wanted wanted[] = {
		{ "some_data" }, { "hang", 1 }, { "alp" }, { "alpha", 1, 1 }
	};
	FILE *in = fmemopen((void *)kallsyms, strlen(kallsyms), "r");

	(void)state;
	assert_non_null(in);
	assert_null(ksyms_look_up(in, wanted, 4));
	fclose(in);
	assert_int_equal(wanted[0].address, 0xffffffff82000000);
	assert_int_equal(wanted[1].address, 0); /* a module's */
	assert_int_equal(wanted[2].address, 0);
	assert_int_equal(wanted[3].address, 0xffffffff81000040);
	assert_int_equal(wanted[3].end, 0xffffffff81000100);
}

static void test_functions(void **state)
{
	struct ksym_function functions[] = {
		{ "some_data" }, { "hang" }, { "beta", 1, 1 }, { "bet" }
	};
	FILE *in = fmemopen((void *)kallsyms, strlen(kallsyms), "r");

	(void)state;
	assert_non_null(in);
	assert_null(ksyms_find_functions(in, functions, 4));
	fclose(in);
	assert_int_equal(functions[0].count, 0); /* it is none */
	assert_int_equal(functions[1].count, 1);
	assert_true(functions[1].address);
	assert_int_equal(functions[2].count, 1);
	assert_int_equal(functions[2].address, 0xffffffff81000100);
	assert_int_equal(functions[3].count, 0);
}

static void test_same_functions(void **state)
{
	static const char text[] = "ffffffff81000000 t show\n"
				   "ffffffff81000010 T show\n"
				   "ffffffff81000020 d show\n"
				   "ffffffffc0000000 t show\t[module]\n";
	struct ksym_function function = { "show" };
	FILE *in = fmemopen((void *)text, strlen(text), "r");

	(void)state;
	assert_non_null(in);
	assert_null(ksyms_find_functions(in, &function, 1));
	fclose(in);
	assert_int_equal(function.count, 3);
	assert_int_equal(function.address, 0xffffffff81000000);
}

#define test(name, function)                     \
	{                                        \
		name, function, NULL, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test("an address inside a function gets its name, start and size", test_inside),
		test("a function begins with its first byte and ends before the next", test_edges),
		test("of two names at one address the first is taken", test_alias),
		test("a module's function is named with its module", test_module),
		test("the last symbol of a module has no size", test_last_of_module),
		test("an address below all symbols has no name", test_below_all),
		test("many addresses, some equal, are found in one pass", test_many),
		test("hidden addresses name nothing", test_hidden),
		test("a name that is too long is cut", test_long_name),
		test("nothing wanted, nothing found", test_nothing_wanted),
		test("the core kernel's symbols are found by name", test_look_up),
		test("functions are found by name, those of modules too", test_functions),
		test("functions of the same name are counted", test_same_functions),
	};

	return cmocka_run_group_tests_name("ksyms", tests, NULL, NULL);
}
