// SPDX-License-Identifier: GPL-2.0-only
/* Variables of a kernel whose kallsyms are lost: exported symbols, found by what their table looks like. */
#include <string.h>

#include "make_kernel.h"
#include "symbols/exported.h"
#include "test.h"

#define STEXT  0xffffffff81000000ull
#define TABLE  0xffffffff81100ff0ull /* over the end of its page */
#define NAMES  0xffffffff81120000ull
#define VALUES 0xffffffff82000000ull
#define SPACE  0x20 /* for a name */

static const char *const names[] = {
	"__cpu_online_mask", "__per_cpu_offset", "abs_sum",  "clear_page", "init_task", "kfree",
	"nr_cpu_ids",	     "page_offset_base", "schedule", "up_write",
};
#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static unsigned long long value_of(const char *name)
{
	for (size_t i = 0; i < NR_NAMES; i++)
		if (!strcmp(names[i], name))
			return VALUES + 0x100 * i;
	return 0;
}

static void make_table(struct make_kernel *k)
{
	for (size_t i = 0; i < NR_NAMES; i++) {
		unsigned long long at = TABLE + 12 * i;
		make_kernel_line(k, "at 0x%llx", at);
		make_kernel_line(k, " u32 0x%x 0x%x 0", (uint32_t)(VALUES + 0x100 * i - at),
				 (uint32_t)(NAMES + SPACE * i - at - 4));
		make_kernel_line(k, "at 0x%llx", NAMES + SPACE * i);
		make_kernel_line(k, " str %s", names[i]);
	}
}

static void a_table(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	struct exported_table table;
	uint64_t budget = 1000;

	(void)state;
	make_kernel_init(&k);
	make_kernel_line(&k, "info SYMBOL(_stext)=%llx", STEXT);
	make_table(&k);
	make_kernel_open_memory(&k, &m);
	assert_true(exported_scan(&m.memory, STEXT, STEXT + 0x200000, &budget, &table));
	assert_true(table.start == TABLE);
	assert_true(table.end == TABLE + 12 * NR_NAMES);
	for (size_t i = 0; i < NR_NAMES; i++)
		assert_true(exported_find(&m.memory, &table, names[i]) == value_of(names[i]));
	assert_true(!exported_find(&m.memory, &table, "init_tasks"));
	assert_false(exported_scan(&m.memory, table.end, STEXT + 0x200000, &budget, &table));
	/* Ten entries, and eight of them at first, are more than that. */
	budget = NR_NAMES + 7;
	exported_scan(&m.memory, STEXT, STEXT + 0x200000, &budget, &table);
	assert_true(table.end < TABLE + 12 * NR_NAMES);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

/* Nothing of kallsyms but the vmcoreinfo's own symbols: variables, types and stacks are found nevertheless. */
static void no_names(void **state)
{
	struct make_kernel k;

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_table(&k);
	make_kernel_line(&k, "info SYMBOL(init_task)=%llx", value_of("init_task"));
	make_kernel_text(&k, "exclude 0xffffffff8e002000\n");
	make_kernel_text(&k, "exclude 0xffffffff8e003000\n");
	struct kernel *kernel = make_kernel_open(&k);
	assert_non_null(kernel->symbols.kallsyms.error);
	assert_int_equal(kernel->symbols.kallsyms.count, 0);
	assert_non_null(kernel->symbols.types);
	assert_true(kernel->symbols.at[KSYM_nr_cpu_ids] == value_of("nr_cpu_ids"));
	assert_true(kernel->symbols.at[KSYM_page_offset_base] == value_of("page_offset_base"));
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

/* A table that says otherwise than what is known, or that nothing proves, is not believed. */
static void a_table_that_lies(void **state)
{
	(void)state;
	for (int proven = 0; proven < 2; proven++) {
		struct make_kernel k;
		make_kernel_init(&k);
		make_kernel_text(&k, made_kernel_minimum);
		make_table(&k);
		if (proven)
			make_kernel_line(&k, "info SYMBOL(init_task)=%llx",
					 value_of("init_task") + 8);
		make_kernel_text(&k, "exclude 0xffffffff8e002000\n"
				     "exclude 0xffffffff8e003000\n");
		struct kernel *kernel = make_kernel_open(&k);
		assert_true(!kernel->symbols.at[KSYM_nr_cpu_ids]);
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the table of exported symbols is found by its looks", a_table),
		TEST("without any name of kallsyms variables and types are found", no_names),
		TEST("what is not proven, or does not fit, is not believed", a_table_that_lies),
	};
	return RUN_TESTS(tests);
}
