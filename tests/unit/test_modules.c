// SPDX-License-Identifier: GPL-2.0-only
/* Modules on their list: where they lie, whose symbol is at an address, lists that break off. */
#include <string.h>

#include "make_kernel.h"
#include "symbols/symbols.h"
#include "test.h"

static const char types_6_1[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct module_layout 80 base:ptr@0 size:u32@8\n"
	"struct mod_arch_specific 32 num_orcs:u32@0 orc_unwind_ip:ptr@8 orc_unwind:ptr@16\n"
	"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"
	"struct module 512 state:u32@0 list:list_head@8 name:char[56]@24 core_layout:module_layout@96 "
	"init_layout:module_layout@176 arch:mod_arch_specific@256 taints:u64@288 kallsyms:ptr@296\n"
	"symbol modules 0xffffffff82900000 D\n";

static const char types_6_4[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct module_memory 64 base:ptr@0 size:u32@8\n"
	"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"
	"struct module 1024 state:u32@0 list:list_head@8 name:char[56]@24 mem:module_memory[7]@128 "
	"taints:u64@640 kallsyms:ptr@648\n"
	"symbol modules 0xffffffff82900000 D\n";

/* beta before alpha on the list; gamma is still being formed. */
static const char three_modules[] =
	"at modules\n u64 0xffffffffc0202008\n"
	"at 0xffffffffc0202018\n str beta\n"
	"set 0xffffffffc0202000 module.list.next 0xffffffffc0302008\n"
	"set 0xffffffffc0202000 module.core_layout.base 0xffffffffc0200000\n"
	"set 0xffffffffc0202000 module.core_layout.size 0x3000\n"
	"set 0xffffffffc0202000 module.taints 0x1000\n"
	"set 0xffffffffc0202000 module.kallsyms 0xffffffffc0202800\n"
	"at 0xffffffffc0302018\n str gamma\n"
	"set 0xffffffffc0302000 module.state 3\n"
	"set 0xffffffffc0302000 module.list.next 0xffffffffc0102008\n"
	"set 0xffffffffc0302000 module.core_layout.base 0xffffffffc0300000\n"
	"set 0xffffffffc0302000 module.core_layout.size 0x3000\n"
	"at 0xffffffffc0102018\n str alpha\n"
	"set 0xffffffffc0102000 module.list.next modules\n"
	"set 0xffffffffc0102000 module.core_layout.base 0xffffffffc0100000\n"
	"set 0xffffffffc0102000 module.core_layout.size 0x3000\n"
	"set 0xffffffffc0102000 module.init_layout.base 0xffffffffc0180000\n"
	"set 0xffffffffc0102000 module.init_layout.size 0x1000\n";

/* Its symbols: a local one before the others, an undefined one, one without a name, a mapping of data. */
static const char symbols_of_beta[] =
	"set 0xffffffffc0202800 mod_kallsyms.symtab 0xffffffffc0202900\n"
	"set 0xffffffffc0202800 mod_kallsyms.num_symtab 6\n"
	"set 0xffffffffc0202800 mod_kallsyms.strtab 0xffffffffc0202b00\n"
	"at 0xffffffffc0202900\n fill 24 0\n"
	"u32 1\n u8 18 0\n u16 2\n u64 0xffffffffc0200100 0x40\n" /* beta_spin */
	"u32 11\n u8 18 0\n u16 2\n u64 0xffffffffc0200010 0x40\n" /* beta_init */
	"u32 21\n u8 18 0\n u16 0\n u64 0xffffffffc0200080 0\n" /* printk, undefined */
	"u32 0\n u8 18 0\n u16 2\n u64 0xffffffffc0200090 0\n" /* "" */
	"u32 28\n u8 17 0\n u16 3\n u64 0xffffffffc0201000 0x40\n" /* beta_data */
	"at 0xffffffffc0202b00\n u8 0\n str beta_spin\n str beta_init\n str printk\n str beta_data\n";

static struct kernel *open_kernel(const char *types, const char *text, const char *more)
{
	struct make_kernel k;

	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, types);
	make_kernel_text(&k, text);
	make_kernel_text(&k, more);
	struct kernel *kernel = make_kernel_open(&k);
	make_kernel_deinit(&k);
	return kernel;
}

static void modules_in_order_of_address(void **state)
{
	struct kernel *kernel = open_kernel(types_6_1, three_modules, "");
	const struct modules *modules = &kernel->symbols.modules;

	(void)state;
	assert_no_error(kernel->symbols.modules_error);
	assert_int_equal(modules->list.count, 2);
	assert_string_equal(modules->list.data[0].name, "alpha");
	assert_string_equal(modules->list.data[1].name, "beta");
	assert_int_equal(modules->list.data[1].taints, 0x1000);
	assert_string_equal(modules_find(modules, 0xffffffffc0100000)->name, "alpha");
	assert_string_equal(modules_find(modules, 0xffffffffc0180fff)->name, "alpha");
	assert_null(modules_find(modules, 0xffffffffc0181000));
	assert_string_equal(modules_find(modules, 0xffffffffc0202fff)->name, "beta");
	assert_null(modules_find(modules, 0xffffffffc0203000));
	assert_null(modules_find(modules, 0xffffffffc0300000)); /* gamma */
	kernel_close(kernel);
}

static void memory_as_6_4_has_it(void **state)
{
	struct kernel *kernel =
		open_kernel(types_6_4,
			    "at modules\n u64 0xffffffffc0202008\n"
			    "at 0xffffffffc0202018\n str delta\n"
			    "set 0xffffffffc0202000 module.list.next modules\n"
			    "at 0xffffffffc0202080\n u64 0xffffffffc0200000 0x1000\n"
			    "at 0xffffffffc02020c0\n u64 0xffffffffc0300000 0x2000\n"
			    "at 0xffffffffc0202200\n u64 0xffffffffc0400000 0x1000\n",
			    "");
	const struct modules *modules = &kernel->symbols.modules;

	(void)state;
	assert_no_error(kernel->symbols.modules_error);
	assert_int_equal(modules->list.data[0].nr_regions, 3);
	assert_string_equal(modules_find(modules, 0xffffffffc0200fff)->name, "delta");
	assert_string_equal(modules_find(modules, 0xffffffffc0301fff)->name, "delta");
	assert_string_equal(modules_find(modules, 0xffffffffc0400000)->name, "delta");
	assert_null(modules_find(modules, 0xffffffffc0201000));
	kernel_close(kernel);
}

static void assert_symbol(struct kernel *kernel, uint64_t address, const char *name, uint64_t start,
			  uint64_t size)
{
	struct symbol symbol = symbols_lookup(&kernel->symbols, address);

	assert_string_equal(symbol.module ? symbol.module->name : "", "beta");
	if (!name) {
		assert_null(symbol.name);
		return;
	}
	assert_string_equal(symbol.name ? symbol.name : "(none)", name);
	assert_true(symbol.start == start);
	assert_int_equal(symbol.size, size);
}

static void symbols_of_a_module(void **state)
{
	struct kernel *kernel = open_kernel(types_6_1, three_modules, symbols_of_beta);

	(void)state;
	assert_symbol(kernel, 0xffffffffc0200011, "beta_init", 0xffffffffc0200010, 0xf0);
	assert_symbol(kernel, 0xffffffffc0200095, "beta_init", 0xffffffffc0200010, 0xf0);
	assert_symbol(kernel, 0xffffffffc0200100, "beta_spin", 0xffffffffc0200100, 0xf00);
	assert_symbol(kernel, 0xffffffffc0201000, "beta_data", 0xffffffffc0201000, 0x2000);
	assert_symbol(kernel, 0xffffffffc0200001, NULL, 0, 0);
	/* Once more, out of what was kept. */
	assert_symbol(kernel, 0xffffffffc0200011, "beta_init", 0xffffffffc0200010, 0xf0);
	kernel_close(kernel);
}

/* Code and data are one area up to 6.3; of several symbols at one address the first of the table counts. */
static void code_ends_before_data(void **state)
{
	static const char types[] =
		"struct list_head 16 next:ptr@0 prev:ptr@8\n"
		"struct module_layout 80 base:ptr@0 size:u32@8 text_size:u32@12\n"
		"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"
		"struct module 512 state:u32@0 list:list_head@8 name:char[56]@24 core_layout:module_layout@96 "
		"init_layout:module_layout@176 taints:u64@288 kallsyms:ptr@296\n"
		"symbol modules 0xffffffff82900000 D\n";
	struct kernel *kernel = open_kernel(
		types, three_modules,
		"set 0xffffffffc0202000 module.core_layout.text_size 0x1000\n"
		"set 0xffffffffc0202800 mod_kallsyms.symtab 0xffffffffc0202900\n"
		"set 0xffffffffc0202800 mod_kallsyms.num_symtab 6\n"
		"set 0xffffffffc0202800 mod_kallsyms.strtab 0xffffffffc0202b00\n"
		"at 0xffffffffc0202900\n fill 24 0\n"
		"u32 1\n u8 18 0\n u16 2\n u64 0xffffffffc0201800 0x40\n" /* data */
		"u32 6\n u8 18 0\n u16 2\n u64 0xffffffffc0200100 0x40\n" /* first */
		"u32 12\n u8 18 0\n u16 2\n u64 0xffffffffc0200100 0x40\n" /* alias */
		"u32 18\n u8 18 0\n u16 2\n u64 0xffffffffc0200200 0x40\n" /* .L1 */
		"u32 22\n u8 18 0\n u16 2\n u64 0xffffffffc0200000 0x40\n" /* zero */
		"at 0xffffffffc0202b00\n u8 0\n str data\n str first\n str alias\n str .L1\n str zero\n");
	const struct module *beta = modules_find(&kernel->symbols.modules, 0xffffffffc0200000);

	(void)state;
	assert_int_equal(beta->size, 0x3000);
	assert_int_equal(beta->regions[0].size, 0x1000);
	assert_true(beta->object == 0xffffffffc0202000);
	assert_symbol(kernel, 0xffffffffc0200fff, "first", 0xffffffffc0200100, 0xf00);
	assert_symbol(kernel, 0xffffffffc0200210, "first", 0xffffffffc0200100, 0xf00);
	assert_symbol(kernel, 0xffffffffc0200010, "zero", 0xffffffffc0200000, 0x100);
	assert_symbol(kernel, 0xffffffffc0201000, NULL, 0, 0); /* data before the first symbol */
	assert_symbol(kernel, 0xffffffffc0201801, "data", 0xffffffffc0201800, 0x1800);
	kernel_close(kernel);
}

static void unloaded_modules(void **state)
{
	struct kernel *kernel = open_kernel(types_6_1, three_modules,
					    "info NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
					    "symbol last_unloaded_module 0xffffffff82901000 b\n"
					    "at last_unloaded_module\n str dummy\n");

	(void)state;
	assert_string_equal(kernel->symbols.modules.last_unloaded, "dummy");
	assert_true(symbols_is_unloaded(&kernel->symbols, 0xffffffffc0300000));
	assert_true(symbols_is_unloaded(&kernel->symbols, 0xffffffffc0000000));
	assert_false(symbols_is_unloaded(&kernel->symbols, 0xffffffffc0200000));
	assert_false(symbols_is_unloaded(&kernel->symbols, 0xffffffffbfffffff));
	assert_false(symbols_is_unloaded(&kernel->symbols, 0xffffffffff600000)); /* vsyscall */
	kernel_close(kernel);
	/* None was, and where modules lie is not known. */
	kernel = open_kernel(types_6_1, three_modules,
			     "symbol last_unloaded_module 0xffffffff82901000 b\n"
			     "at last_unloaded_module\n u64 0\n");
	assert_no_error(kernel->symbols.modules_error);
	assert_null(kernel->symbols.modules.last_unloaded);
	assert_false(symbols_is_unloaded(&kernel->symbols, 0xffffffffc0300000));
	kernel_close(kernel);
}

static void hostile_symbols(void **state)
{
	static const char *const changes[] = {
		"set 0xffffffffc0202800 mod_kallsyms.num_symtab 0xffffffff\n",
		"set 0xffffffffc0202800 mod_kallsyms.num_symtab 0x100000\n",
		"set 0xffffffffc0202800 mod_kallsyms.num_symtab 0\n",
		"set 0xffffffffc0202800 mod_kallsyms.symtab 0\n",
		"set 0xffffffffc0202800 mod_kallsyms.strtab 0xffffffffffffffff\n",
		"set 0xffffffffc0202000 module.kallsyms 0\n",
		"at 0xffffffffc0202918\n u32 0xffffffff\n", /* st_name */
		"at 0xffffffffc0202918\n u32 0x3fffffff\n",
		"at 0xffffffffc0202920\n u64 0xffffffffffffffff\n", /* st_value */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct make_kernel k;
		make_kernel_init(&k);
		make_kernel_text(&k, made_kernel_minimum);
		make_kernel_text(&k, types_6_1);
		make_kernel_text(&k, three_modules);
		make_kernel_text(&k, symbols_of_beta);
		make_kernel_text(&k, changes[i]);
		struct kernel *kernel = make_kernel_open(&k);
		/* Its functions may have lost their names, but it has not. */
		struct symbol symbol = symbols_lookup(&kernel->symbols, 0xffffffffc0200101);
		assert_string_equal(symbol.module ? symbol.module->name : "", "beta");
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
}

static void lists_that_break_off(void **state)
{
	static const struct {
		const char *change, *says;
		size_t count;
	} cases[] = {
		{ "set 0xffffffffc0302000 module.list.next 0xdead000000000100\n", "canonical", 1 },
		{ "set 0xffffffffc0102000 module.list.next 0xffffffffc0202008\n", "circle", 2 },
		{ "at modules\n u64 0\n", "module list", 0 },
		{ "exclude 0xffffffffc0102000\n", "excluded", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel *kernel = open_kernel(types_6_1, three_modules, cases[i].change);
		assert_non_null(kernel->symbols.modules_error);
		assert_non_null(strstr(kernel->symbols.modules_error->message, cases[i].says));
		/* Those before the break are there; a circle may have shown some twice. */
		assert_true(kernel->symbols.modules.list.count >= cases[i].count);
		kernel_close(kernel);
	}
}

static void kernels_without_modules(void **state)
{
	/* None is loaded; and none can be, so that there is no type. */
	struct kernel *kernel = open_kernel(types_6_1, "at modules\n u64 modules\n", "");

	(void)state;
	assert_no_error(kernel->symbols.modules_error);
	assert_int_equal(kernel->symbols.modules.list.count, 0);
	assert_null(modules_find(&kernel->symbols.modules, 0));
	kernel_close(kernel);
	kernel = open_kernel("", "", "");
	assert_no_error(kernel->symbols.modules_error);
	kernel_close(kernel);
}

static void core_symbols(void **state)
{
	struct kernel *kernel =
		open_kernel("symbol foo 0xffffffff81000100\n symbol v 0x1000 A\n", "", "");
	struct symbol symbol = symbols_lookup(&kernel->symbols, 0xffffffff81000123);

	(void)state;
	assert_string_equal(symbol.name, "foo");
	assert_null(symbol.module);
	assert_true(symbol.start == 0xffffffff81000100);
	/* Between the last per-CPU variable and the kernel, and behind the kernel, is nothing. */
	assert_null(symbols_lookup(&kernel->symbols, 0xffff888000000000).name);
	assert_null(symbols_lookup(&kernel->symbols, UINT64_MAX).name);
	assert_null(symbols_lookup(&kernel->symbols, 0).name);
	assert_string_equal(symbols_lookup(&kernel->symbols, 0xffffffff81000123).name, "foo");
	kernel_close(kernel);
}

/* As the names say: what a kernel is opened without, for what reason. */
static void what_is_needed_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "symbol _stext 0xffffffff81000000\n", "no BTF" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_kernel k;
		make_kernel_init(&k);
		make_kernel_text(&k, cases[i].text);
		assert_kernel_lacks(&k, cases[i].says);
		make_kernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("modules are sorted by address, and one that is being formed is none",
		     modules_in_order_of_address),
		TEST("since 6.4 a module has an array of memory", memory_as_6_4_has_it),
		TEST("a module's symbols: undefined and nameless ones do not count",
		     symbols_of_a_module),
		TEST("a module's code ends before its data", code_ends_before_data),
		TEST("an address that no module has any more is an unloaded one's",
		     unloaded_modules),
		TEST("hostile symbols cost names, no more", hostile_symbols),
		TEST("a list that breaks off keeps what was found, and says why",
		     lists_that_break_off),
		TEST("a kernel may have no modules", kernels_without_modules),
		TEST("outside of the core kernel and its modules there are no names", core_symbols),
		TEST("what a kernel lacks is named, and it is opened without",
		     what_is_needed_is_named),
	};
	return RUN_TESTS(tests);
}
