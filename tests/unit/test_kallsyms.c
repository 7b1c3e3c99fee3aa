// SPDX-License-Identifier: GPL-2.0-only
/* kallsyms out of a dump: every encoding, and tables that lie. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "test.h"

static void open_kallsyms(struct make_kernel *k, struct made_memory *m, struct kallsyms *kallsyms)
{
	make_kernel_open_memory(k, m);
	assert_no_error(kallsyms_init(kallsyms, &m->memory, &m->info));
}

static void assert_symbol(const struct kallsyms *kallsyms, uint64_t address, const char *name,
			  uint64_t start, uint64_t size)
{
	char found[KSYM_NAME_SIZE];
	uint64_t its_start, its_size;
	uint32_t index;

	assert_true(kallsyms_lookup(kallsyms, address, &index, &its_start, &its_size));
	kallsyms_name(kallsyms, index, found);
	assert_string_equal(found, name);
	assert_true(its_start == start);
	assert_true(its_size == size);
}

static uint64_t address_of(const struct kallsyms *kallsyms, const char *name)
{
	struct kallsyms_wanted wanted = { .name = name };

	kallsyms_find(kallsyms, &wanted, 1);
	return wanted.address;
}

static const char some_symbols[] =
	"symbol _stext 0xffffffff81000000\n"
	"symbol _text 0xffffffff81000000\n" /* aliases: the first counts */
	"symbol foo 0xffffffff81000100\n"
	"symbol bar 0xffffffff81000180 t\n"
	"symbol data 0xffffffff82000000 D\n"
	"symbol _end 0xffffffff83000000 B\n";

static void symbols_cover_up_to_the_next(void **state)
{
	static const struct {
		const char *line;
		enum kallsyms_encoding encoding;
	} encodings[] = {
		{ "", KALLSYMS_ABSOLUTE_PERCPU },
		{ "kallsyms base-relative\n", KALLSYMS_BASE_RELATIVE },
		{ "kallsyms place-relative\n", KALLSYMS_PLACE_RELATIVE },
		{ "kallsyms absolute\n", KALLSYMS_ABSOLUTE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		struct make_kernel k;
		struct made_memory m;
		struct kallsyms kallsyms;
		uint64_t start, size;
		uint32_t index;
		make_kernel_init(&k);
		make_kernel_text(&k, encodings[i].line);
		make_kernel_text(&k, some_symbols);
		open_kallsyms(&k, &m, &kallsyms);
		assert_int_equal(kallsyms.encoding, encodings[i].encoding);
		assert_symbol(&kallsyms, 0xffffffff81000000, "_stext", 0xffffffff81000000, 0x100);
		assert_symbol(&kallsyms, 0xffffffff81000101, "foo", 0xffffffff81000100, 0x80);
		assert_symbol(&kallsyms, 0xffffffff8100017f, "foo", 0xffffffff81000100, 0x80);
		assert_symbol(&kallsyms, 0xffffffff81000180, "bar", 0xffffffff81000180, 0xfffe80);
		assert_symbol(&kallsyms, UINT64_MAX, "_end", 0xffffffff83000000, 0);
		assert_false(kallsyms_lookup(&kallsyms, 0xffffffff80ffffff, &index, &start, &size));
		assert_false(kallsyms_lookup(&kallsyms, 0, &index, &start, &size));
		assert_true(address_of(&kallsyms, "data") == 0xffffffff82000000);
		assert_true(address_of(&kallsyms, "dat") == 0);
		assert_true(address_of(&kallsyms, "datas") == 0);
		assert_true(address_of(&kallsyms, "") == 0);
		kallsyms_deinit(&kallsyms);
		made_memory_close(&m);
		make_kernel_deinit(&k);
	}
}

static void per_cpu_symbols_are_absolute(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	struct kallsyms kallsyms;

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, "symbol fixed_percpu_data 0x0 A\n symbol runqueues 0x1f8c0 A\n");
	make_kernel_text(&k, some_symbols);
	open_kallsyms(&k, &m, &kallsyms);
	assert_true(address_of(&kallsyms, "runqueues") == 0x1f8c0);
	assert_symbol(&kallsyms, 0x1f8c1, "runqueues", 0x1f8c0, 0xffffffff81000000 - 0x1f8c0);
	assert_symbol(&kallsyms, 0x10, "fixed_percpu_data", 0, 0x1f8c0);
	kallsyms_deinit(&kallsyms);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

static void long_names(void **state)
{
	static const size_t lengths[] = { 126, 127, 128, 255, 300, 511, 600 };
	struct make_kernel k;
	struct made_memory m;
	struct kallsyms kallsyms;
	char name[1024];

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, some_symbols);
	for (size_t i = 0; i < 7; i++) {
		memset(name, 'a' + i, lengths[i]);
		name[lengths[i]] = '\0';
		make_kernel_line(&k, "symbol %s 0x%llx", name, 0xffffffff84000000ull + i * 16);
	}
	open_kallsyms(&k, &m, &kallsyms);
	for (size_t i = 0; i < 7; i++) {
		size_t length = lengths[i] < KSYM_NAME_SIZE ? lengths[i] : KSYM_NAME_SIZE - 1;
		memset(name, 'a' + i, length);
		name[length] = '\0';
		assert_symbol(&kallsyms, 0xffffffff84000000 + i * 16, name,
			      0xffffffff84000000 + i * 16, i == 6 ? 0 : 16);
	}
	kallsyms_deinit(&kallsyms);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

/* More symbols than one marker leads to. */
static void many_symbols(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	struct kallsyms kallsyms;
	char name[32];

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, "symbol _stext 0xffffffff81000000\n");
	for (int i = 1; i < 1500; i++)
		make_kernel_line(&k, "symbol f%d 0x%llx", i, 0xffffffff81000000ull + i * 16);
	open_kallsyms(&k, &m, &kallsyms);
	assert_int_equal(kallsyms.count, 1500);
	for (int i = 1; i < 1500; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_symbol(&kallsyms, 0xffffffff81000000ull + i * 16 + 3, name,
			      0xffffffff81000000ull + i * 16, i == 1499 ? 0 : 16);
	}
	assert_true(address_of(&kallsyms, "f1234") == 0xffffffff81000000ull + 1234 * 16);
	kallsyms_deinit(&kallsyms);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

/* Tables by hand, with tokens of several characters; @spoil changes them. */
static struct error *by_hand(const char *spoil, struct kallsyms *kallsyms, struct made_memory *m)
{
	struct make_kernel k;

	make_kernel_init(&k);
	make_kernel_text(&k,
			 "info SYMBOL(_stext)=ffffffff81000000\n"
			 "info SYMBOL(kallsyms_num_syms)=ffffffff82000000\n"
			 "info SYMBOL(kallsyms_relative_base)=ffffffff82000008\n"
			 "info SYMBOL(kallsyms_offsets)=ffffffff82000010\n"
			 "info SYMBOL(kallsyms_token_table)=ffffffff82001000\n"
			 "info SYMBOL(kallsyms_token_index)=ffffffff82002000\n"
			 "info SYMBOL(kallsyms_names)=ffffffff82003fe0\n"
			 "at 0xffffffff82000000\n"
			 "u64 3 0xffffffff81000000\n"
			 "u32 0xffffffff 0xffffffef 0xffffffdf\n"
			 "at 0xffffffff82001000\n"
			 "str T_\n str do_\n str st\n str ext\n str fork\n str exit\n str t\n"
			 "fill 0x200 0\n"
			 /* _stext, do_fork, do_exit: the last byte is the page's last but four */
			 "at 0xffffffff82003fe0\n"
			 "u8 3 0 2 3  3 6 1 4  3 6 1 5\n"
			 "at 0xffffffff82002000\n"
			 "u16 0 3 7 10 14 19 24 25\n");
	for (int i = 8; i < 256; i++)
		make_kernel_text(&k, "u16 25\n");
	make_kernel_text(&k, spoil);
	make_kernel_open_memory(&k, m);
	make_kernel_deinit(&k);
	return kallsyms_init(kallsyms, &m->memory, &m->info);
}

static void tokens_are_put_together(void **state)
{
	struct kallsyms kallsyms;
	struct made_memory m;

	(void)state;
	assert_no_error(by_hand("", &kallsyms, &m));
	assert_symbol(&kallsyms, 0xffffffff81000001, "_stext", 0xffffffff81000000, 16);
	assert_symbol(&kallsyms, 0xffffffff81000011, "do_fork", 0xffffffff81000010, 16);
	assert_symbol(&kallsyms, 0xffffffff81000021, "do_exit", 0xffffffff81000020, 0);
	assert_true(address_of(&kallsyms, "do_exit") == 0xffffffff81000020);
	kallsyms_deinit(&kallsyms);
	made_memory_close(&m);
}

static void hostile_tables(void **state)
{
	static const struct {
		const char *spoil, *says;
		enum error_class class;
	} cases[] = {
		{ "at 0xffffffff82000000\n u32 0\n", "0 symbols", ERROR_CORRUPT },
		{ "at 0xffffffff82000000\n u32 0xffffffff\n", "4294967295 symbols", ERROR_CORRUPT },
		{ "at 0xffffffff82000000\n u32 0x1f0000\n", "unmapped", ERROR_UNMAPPED },
		{ "at 0xffffffff82000000\n u32 40\n", "unmapped",
		  ERROR_UNMAPPED }, /* too few names */
		{ "at 0xffffffff82000008\n u64 0xffffffff80000000\n", "_stext", ERROR_CORRUPT },
		{ "at 0xffffffff82002000\n u16 26\n", "token_index", ERROR_CORRUPT },
		{ "at 0xffffffff820021fe\n u16 0xffff\n", "unmapped", ERROR_UNMAPPED },
		{ "at 0xffffffff820021fe\n u16 0\n", "token_index", ERROR_CORRUPT },
		{ "at 0xffffffff82001000\n fill 0x1000 0x41\n", "token_table", ERROR_CORRUPT },
		{ "at 0xffffffff82003fe0\n u8 0xff 0xff\n", "unmapped", ERROR_UNMAPPED },
		{ "at 0xffffffff82003fe0\n u8 0 0 0 0 0 0 0 0 0\n", "_stext", ERROR_CORRUPT },
		{ "exclude 0xffffffff82003000\n", "excluded", ERROR_EXCLUDED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kallsyms kallsyms;
		struct made_memory m;
		struct error *err = by_hand(cases[i].spoil, &kallsyms, &m);
		if (!err)
			fail_msg("case %zu is taken", i);
		assert_error(err, cases[i].class, cases[i].says);
		made_memory_close(&m);
	}
}

/* Page tables that lead to the same page over and over: all of 1 GB is names, and each is as long as can be. */
static void names_without_end(void **state)
{
	struct make_dump d;
	struct kallsyms kallsyms;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "info SYMBOL(_stext)=0\n"
			   "info SYMBOL(swapper_pg_dir)=ffffffff80001000\n"
			   "info NUMBER(phys_base)=0\n"
			   "info SYMBOL(kallsyms_num_syms)=0\n"
			   "info SYMBOL(kallsyms_relative_base)=0\n"
			   "info SYMBOL(kallsyms_offsets)=0\n"
			   "info SYMBOL(kallsyms_token_table)=0\n"
			   "info SYMBOL(kallsyms_token_index)=0\n"
			   "info SYMBOL(kallsyms_names)=40000000\n"
			   "pa 0x1000\n u64 0x2003\n pa 0x2000\n u64 0x3003 0x4003\n"
			   "pa 0x6000\n u32 0x7fffff\n"
			   "pa 0x7000\n fill 0x1000 0xff\n");
	for (int i = 0; i < 512; i++) {
		make_dump_line(&d, "pa 0x%x", 0x3000 + 8 * i); /* zeros, but for the first word */
		make_dump_line(&d, "u64 0x5003");
		make_dump_line(&d, "pa 0x%x", 0x4000 + 8 * i); /* 0xff */
		make_dump_line(&d, "u64 0x8003");
		make_dump_line(&d, "pa 0x%x", 0x5000 + 8 * i);
		make_dump_line(&d, "u64 0x6003");
		make_dump_line(&d, "pa 0x%x", 0x8000 + 8 * i);
		make_dump_line(&d, "u64 0x7003");
	}
	struct made_memory m = { .dump = make_dump_open(&d) };
	m.info.text = dump_vmcoreinfo(m.dump, &m.info.size);
	assert_no_error(memory_init(&m.memory, m.dump, &m.info));
	assert_error(kallsyms_init(&kallsyms, &m.memory, &m.info), ERROR_CORRUPT, "kallsyms");
	made_memory_close(&m);
	make_dump_deinit(&d);
}

/* Offsets in no order at all: any answer will do, but one that ends. */
static void symbols_in_no_order(void **state)
{
	struct kallsyms kallsyms;
	struct made_memory m;
	uint64_t start, size;
	uint32_t index;

	(void)state;
	assert_no_error(by_hand("at 0xffffffff82000010\n u32 0xffffffff 0xff000000 0x7fffffff\n",
				&kallsyms, &m));
	for (uint64_t address = 0; address < 0xfffff00000000000; address += 0x7fffff00000000)
		if (kallsyms_lookup(&kallsyms, address, &index, &start, &size))
			assert_true(index < kallsyms.count);
	kallsyms_deinit(&kallsyms);
	made_memory_close(&m);
}

static void what_is_needed_is_named(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	struct kallsyms kallsyms;

	(void)state;
	make_kernel_init(&k);
	make_kernel_open_memory(&k, &m);
	assert_error(kallsyms_init(&kallsyms, &m.memory, &m.info), ERROR_OTHER, "SYMBOL(_stext)");
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a symbol covers the bytes up to the next, in each encoding",
		     symbols_cover_up_to_the_next),
		TEST("per-CPU symbols are absolute", per_cpu_symbols_are_absolute),
		TEST("names over 127 bytes have lengths of two, and over 511 are cut off",
		     long_names),
		TEST("markers lead to every 256th name", many_symbols),
		TEST("a name is put together of its tokens, and may end with its page",
		     tokens_are_put_together),
		TEST("hostile tables are refused for what they are", hostile_tables),
		TEST("names that never end take no memory without bound", names_without_end),
		TEST("symbols in no order are no crash", symbols_in_no_order),
		TEST("a vmcoreinfo that does not lead to kallsyms is refused for that",
		     what_is_needed_is_named),
	};
	return RUN_TESTS(tests);
}
