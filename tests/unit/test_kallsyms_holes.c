// SPDX-License-Identifier: GPL-2.0-only
/* kallsyms of which pages are missing: what is there has its name and its address, and nothing has another's. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "test.h"

#define NR_SYMBOLS 4000
#define TEXT	   0xffffffff81000000ull
#define NAMES	   0xffffffff8e100000ull
#define OFFSETS	   0xffffffff8e010000ull

static const char *const encodings[] = { "", "kallsyms base-relative\n",
					 "kallsyms place-relative\n", "kallsyms absolute\n" };

/* Symbols of 16 bytes each, function_0 at _stext; without the pages at @excluded. */
static struct error *open_kallsyms(const char *encoding, const uint64_t *excluded, size_t count,
				   struct kallsyms *ret)
{
	struct make_kernel k;
	struct made_memory m;

	make_kernel_init(&k);
	make_kernel_text(&k, encoding);
	make_kernel_line(&k, "symbol _stext 0x%llx", TEXT);
	for (unsigned int i = 0; i < NR_SYMBOLS; i++)
		make_kernel_line(&k, "symbol function_%u 0x%llx", i, TEXT + 16 * i);
	for (size_t i = 0; i < count; i++)
		make_kernel_line(&k, "exclude 0x%llx", (unsigned long long)excluded[i]);
	make_kernel_open_memory(&k, &m);
	struct error *err = kallsyms_init(ret, &m.memory, &m.info);
	made_memory_close(&m);
	make_kernel_deinit(&k);
	return err;
}

/* How many functions are found by address, and by name, and are right; none may be wrong. */
static void count_right(const struct kallsyms *kallsyms, size_t *by_address, size_t *by_name)
{
	*by_address = *by_name = 0;
	for (unsigned int i = 1; i < NR_SYMBOLS; i++) {
		char name[KSYM_NAME_SIZE], wanted_name[32];
		uint64_t start, size;
		uint32_t index;
		snprintf(wanted_name, sizeof(wanted_name), "function_%u", i);
		if (kallsyms_lookup(kallsyms, TEXT + 16 * i + 3, &index, &start, &size)) {
			kallsyms_name(kallsyms, index, name);
			assert_true(start == TEXT + 16 * i);
			assert_true(size == 16 || i == NR_SYMBOLS - 1);
			assert_true(!name[0] || !strcmp(name, wanted_name));
			*by_address += name[0] != 0;
		}
		if (i % 16)
			continue;
		struct kallsyms_wanted wanted = { .name = wanted_name };
		kallsyms_find(kallsyms, &wanted, 1);
		assert_true(!wanted.address || wanted.address == TEXT + 16 * i);
		*by_name += wanted.address != 0;
	}
}

static void lost_names(void **state)
{
	/* Pages of names: one, two that touch, the second one, the last. */
	static const uint64_t excluded[][2] = { { NAMES + 0x5000, NAMES + 0x5000 },
						{ NAMES + 0x3000, NAMES + 0x4000 },
						{ NAMES + 0x1000, NAMES + 0x9000 },
						{ NAMES + 0x1000, NAMES + 0x1000 } };

	(void)state;
	for (size_t i = 0; i < 4 * 4; i++) {
		struct kallsyms kallsyms;
		size_t by_address, by_name;
		assert_no_error(open_kallsyms(encodings[i % 4], excluded[i / 4], 2, &kallsyms));
		assert_non_null(kallsyms.error);
		assert_int_equal(kallsyms.error->class, ERROR_EXCLUDED);
		assert_int_equal(kallsyms.error->address, excluded[i / 4][0]);
		count_right(&kallsyms, &by_address, &by_name);
		/* 270 names to a page, and up to 256 more until the next marker. */
		assert_true(by_address > NR_SYMBOLS - 2 * 530 && by_address < NR_SYMBOLS - 250);
		assert_true(by_name > (NR_SYMBOLS - 2 * 530) / 16 - 2);
		kallsyms_deinit(&kallsyms);
	}
}

static void lost_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * 4; i++) {
		/* The first page, one within, the last. */
		const uint64_t excluded[] = { OFFSETS + i / 4 * 0x1000 };
		struct kallsyms kallsyms;
		size_t by_address, by_name;
		bool absolute = i % 4 == 3;
		assert_no_error(open_kallsyms(encodings[i % 4], excluded, 1, &kallsyms));
		assert_non_null(kallsyms.error);
		count_right(&kallsyms, &by_address, &by_name);
		size_t lost = absolute ? 512 : 1024;
		assert_true(by_address >= NR_SYMBOLS - lost - 3);
		assert_true(by_name >= (NR_SYMBOLS - lost) / 16 - 2);
		kallsyms_deinit(&kallsyms);
	}
}

static void a_lost_index_of_tokens(void **state)
{
	static const uint64_t excluded[] = { 0xffffffff8e003000 };
	struct kallsyms kallsyms;
	size_t by_address, by_name;

	(void)state;
	assert_no_error(open_kallsyms("", excluded, 1, &kallsyms));
	count_right(&kallsyms, &by_address, &by_name);
	assert_int_equal(by_address, NR_SYMBOLS - 1);
	kallsyms_deinit(&kallsyms);
}

/* The page of their number, of which the names and markers tell, and of the base, of which _stext tells. */
static void a_lost_number(void **state)
{
	static const uint64_t excluded[] = { 0xffffffff8e000000, 0xffffffff8e001000 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct kallsyms kallsyms;
		size_t by_address, by_name;
		/* Two encodings have a base, on the second page. */
		assert_no_error(open_kallsyms(encodings[i], excluded, i < 2 ? 2 : 1, &kallsyms));
		assert_int_equal(kallsyms.count, NR_SYMBOLS + 1);
		count_right(&kallsyms, &by_address, &by_name);
		assert_int_equal(by_address, NR_SYMBOLS - 1);
		kallsyms_deinit(&kallsyms);
	}
}

static void nothing_there(void **state)
{
	uint64_t excluded[16];
	struct kallsyms kallsyms;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		excluded[i] = OFFSETS + i * 0x1000;
	struct error *err = open_kallsyms("", excluded, 4, &kallsyms);
	assert_fault(err, ERROR_EXCLUDED, OFFSETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a lost page of names costs the names up to the next marker", lost_names),
		TEST("a lost page of addresses costs those, and the size before", lost_addresses),
		TEST("a lost index of tokens costs nothing", a_lost_index_of_tokens),
		TEST("a lost number of symbols, or base, costs nothing", a_lost_number),
		TEST("addresses that are all lost are an error", nothing_there),
	};
	return RUN_TESTS(tests);
}
