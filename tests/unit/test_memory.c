// SPDX-License-Identifier: GPL-2.0-only
/* Page tables: from virtual addresses to what the dump has there. */
#include <string.h>

#include "make_kernel.h"
#include "test.h"

/* A machine of four page tables, written down by hand: entries of 4 KB, 2 MB and 1 GB. */
static const char by_hand[] =
	"info SYMBOL(swapper_pg_dir)=ffffffff81001000\n"
	"info NUMBER(phys_base)=-16777216\n" /* 0xffffffff81001000 is at 0x1000 */
	"pa 0x1888\n u64 0x2003\n" /* level 4, entry 273: 0xffff888000000000 */
	"pa 0x2000\n u64 0x3003 0x40000083\n" /* level 3: a table, and 1 GB */
	"pa 0x3000\n u64 0x4003 0x600083 0x0\n" /* level 2: a table, 2 MB, nothing */
	"pa 0x4000\n u64 0x8000000000005003 0x0 0x7100 0x9003 0xa063\n" /* level 1 */
	"pa 0x5000\n u64 0x55\n pa 0x7000\n u64 0x77\n"
	"excluded 0x9000\n"
	"pa 0x612340\n u64 0x2222\n pa 0x7ff000\n u64 0x2223\n"
	"pa 0x51234560\n u64 0x1111\n";

#define DIRECT 0xffff888000000000ull

static void open_by_hand(struct made_memory *ret)
{
	*ret = (struct made_memory){ .dump = dump_of_text(by_hand) };
	ret->info.text = dump_vmcoreinfo(ret->dump, &ret->info.size);
	assert_no_error(memory_init(&ret->memory, ret->dump, &ret->info));
}

static void assert_word(struct memory *memory, uint64_t va, uint64_t expected)
{
	uint64_t word = ~expected;

	assert_no_error(memory_read_u64(memory, va, &word));
	assert_true(word == expected);
}

static void assert_no_word(struct memory *memory, uint64_t va, enum error_class class)
{
	uint64_t word;

	assert_fault(memory_read_u64(memory, va, &word), class, va);
}

static void pages_of_every_size(void **state)
{
	struct made_memory m;

	(void)state;
	open_by_hand(&m);
	assert_word(&m.memory, DIRECT, 0x55); /* the no-execute bit is no address */
	assert_word(&m.memory, DIRECT + 0x212340, 0x2222);
	assert_word(&m.memory, DIRECT + 0x3ff000, 0x2223);
	assert_word(&m.memory, DIRECT + 0x40000000 + 0x11234560, 0x1111);
	/* The same again, out of the translations that were kept. */
	assert_word(&m.memory, DIRECT + 0x212340, 0x2222);
	assert_word(&m.memory, DIRECT, 0x55);
	made_memory_close(&m);
}

static void errors_are_told_apart(void **state)
{
	struct made_memory m;

	(void)state;
	open_by_hand(&m);
	assert_no_word(&m.memory, DIRECT + 0x1008, ERROR_UNMAPPED); /* at level 1, 2, 3 and 4 */
	assert_no_word(&m.memory, DIRECT + 0x400008, ERROR_UNMAPPED);
	assert_no_word(&m.memory, DIRECT + 0x80000000, ERROR_UNMAPPED);
	assert_no_word(&m.memory, 0xffffffff81000000, ERROR_UNMAPPED);
	assert_no_word(&m.memory, DIRECT + 0x3010, ERROR_EXCLUDED);
	assert_no_word(&m.memory, DIRECT + 0x4010, ERROR_UNMAPPED); /* mapped, but no memory */
	assert_no_word(&m.memory, 0x0000800000000000, ERROR_UNMAPPED); /* not canonical */
	assert_no_word(&m.memory, 0xff7fffffffffffff, ERROR_UNMAPPED);
	/* Twice: an error must not be kept as a translation. */
	assert_no_word(&m.memory, DIRECT + 0x1008, ERROR_UNMAPPED);
	assert_no_word(&m.memory, DIRECT + 0x3010, ERROR_EXCLUDED);
	made_memory_close(&m);
}

/* Pages whose numbers differ by the number of kept translations share a place. */
static void kept_translations_do_not_mix(void **state)
{
	struct make_kernel k;
	struct made_memory m;

	(void)state;
	make_kernel_init(&k);
	for (int i = 0; i < 4; i++) {
		make_kernel_line(&k, "at 0x%llx",
				 DIRECT + (uint64_t)i * MEMORY_TLB_SIZE * PAGE_SIZE);
		make_kernel_line(&k, "u64 %d", i);
	}
	make_kernel_open_memory(&k, &m);
	for (int i = 0; i < 16; i++)
		assert_word(&m.memory, DIRECT + (uint64_t)(i % 4) * MEMORY_TLB_SIZE * PAGE_SIZE,
			    i % 4);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

static void five_levels(void **state)
{
	struct make_kernel k;
	struct made_memory m;

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, "levels 5\n"
			     "at 0xff11000000123000\n u64 1\n"
			     "at 0xffff888000123000\n u64 2\n"
			     "at 0xff91000000123000\n u64 3\n");
	make_kernel_open_memory(&k, &m);
	assert_word(&m.memory, 0xff11000000123000, 1);
	assert_word(&m.memory, 0xffff888000123000, 2);
	assert_word(&m.memory, 0xff91000000123000, 3);
	assert_no_word(&m.memory, 0xfe11000000123000, ERROR_UNMAPPED);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

static void kaslr(void **state)
{
	static const char *const bases[] = { "0x0", "0x1e000000", "0x7c000000" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct make_kernel k;
		struct made_memory m;
		make_kernel_init(&k);
		make_kernel_line(&k, "phys_base %s", bases[i]);
		make_kernel_text(&k, "at 0xffffffffabcde000\n u64 42\n");
		make_kernel_open_memory(&k, &m);
		assert_word(&m.memory, 0xffffffffabcde000, 42);
		made_memory_close(&m);
		make_kernel_deinit(&k);
	}
}

static void reads_go_over_pages(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	char buf[3 * PAGE_SIZE];

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(
		&k, "at 0xffff888000002000\n fill 0x1000 2\n" /* physical pages in another order */
		    "at 0xffff888000000000\n fill 0x1000 1\n"
		    "at 0xffff888000001000\n fill 0x1000 3\n");
	make_kernel_open_memory(&k, &m);
	assert_no_error(memory_read(&m.memory, DIRECT + 10, buf, sizeof(buf) - 10));
	assert_int_equal(buf[PAGE_SIZE - 11], 1);
	assert_int_equal(buf[PAGE_SIZE - 10], 3);
	assert_int_equal(buf[2 * PAGE_SIZE - 10], 2);
	assert_fault(memory_read(&m.memory, DIRECT + 10, buf, sizeof(buf)), ERROR_UNMAPPED,
		     DIRECT + sizeof(buf));
	/* Over the end of the address space. */
	assert_fault(memory_read(&m.memory, UINT64_MAX - 3, buf, 8), ERROR_UNMAPPED,
		     UINT64_MAX - 3);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

static void strings(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	char buf[16];

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, "at 0xffff888000000ff8\n str short\n"
			     "at 0xffff888000001ffa\n fill 6 0x41\n"
			     "at 0xffff888000004ff0\n fill 32 0x42\n");
	make_kernel_open_memory(&k, &m);
	/* What is behind the 0, and behind the page, need not be there. */
	assert_no_error(memory_read_string(&m.memory, DIRECT + 0xff8, buf, sizeof(buf)));
	assert_string_equal(buf, "short");
	assert_no_error(memory_read_string(&m.memory, DIRECT + 0x4ff0, buf, sizeof(buf)));
	assert_string_equal(buf, "BBBBBBBBBBBBBBB");
	assert_fault(memory_read_string(&m.memory, DIRECT + 0x1ffa, buf, sizeof(buf)),
		     ERROR_UNMAPPED, DIRECT + 0x2000);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

static void tables_are_bounded(void **state)
{
	struct made_memory m;
	void *buf = NULL;

	(void)state;
	open_by_hand(&m);
	assert_fault(memory_read_alloc(&m.memory, DIRECT, 101, 100, &buf), ERROR_CORRUPT, DIRECT);
	assert_fault(memory_read_alloc(&m.memory, DIRECT, UINT64_MAX, 100, &buf), ERROR_CORRUPT,
		     DIRECT);
	assert_fault(memory_read_alloc(&m.memory, DIRECT, 2 * PAGE_SIZE, 1 << 20, &buf),
		     ERROR_UNMAPPED, DIRECT + PAGE_SIZE);
	assert_null(buf);
	assert_no_error(memory_read_alloc(&m.memory, DIRECT, 8, 8, &buf));
	assert_int_equal(*(uint64_t *)buf, 0x55);
	free(buf);
	made_memory_close(&m);
}

/* Any entry of any table with any value: an answer, or an error at the address that was asked for. */
static void hostile_tables(void **state)
{
	static const uint64_t entries[] = {
		0x1,	0x83,  UINT64_MAX, 0x1003, 0x000ffffffffff003, 0x000ffffffffff083,
		0x2003, 0x5003
	};

	(void)state;
	for (size_t i = 0; i < 4 * sizeof(entries) / sizeof(entries[0]); i++) {
		static const uint64_t places[] = { 0x1888, 0x2000, 0x3000, 0x4000 };
		struct make_dump d;
		make_dump_init(&d);
		make_dump_text(&d, by_hand);
		make_dump_line(&d, "pa 0x%llx", (unsigned long long)places[i % 4]);
		make_dump_line(&d, "u64 0x%llx", (unsigned long long)entries[i / 4]);
		struct made_memory m = { .dump = make_dump_open(&d) };
		m.info.text = dump_vmcoreinfo(m.dump, &m.info.size);
		assert_no_error(memory_init(&m.memory, m.dump, &m.info));
		for (uint64_t va = DIRECT; va < DIRECT + 0x5000; va += 0x1000) {
			uint64_t word;
			struct error *err = memory_read_u64(&m.memory, va, &word);
			if (err)
				assert_true(err->address == va);
			error_destroy(err);
		}
		made_memory_close(&m);
		make_dump_deinit(&d);
	}
}

static void what_is_needed_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "info NUMBER(phys_base)=0\n pa 0x1000\n u64 1\n", "swapper_pg_dir" },
		{ "info SYMBOL(swapper_pg_dir)=ffffffff80001000\n pa 0x1000\n u64 1\n",
		  "phys_base" },
		{ "machine aarch64\n info X=1\n pa 0x1000\n u64 1\n", "machine 183" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_memory m = { .dump = dump_of_text(cases[i].text) };
		m.info.text = dump_vmcoreinfo(m.dump, &m.info.size);
		assert_error(memory_init(&m.memory, m.dump, &m.info), ERROR_OTHER, cases[i].says);
		made_memory_close(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("pages of 4 KB, 2 MB and 1 GB are found", pages_of_every_size),
		TEST("unmapped and excluded are told apart, and the virtual address is named",
		     errors_are_told_apart),
		TEST("translations that share a place do not mix", kept_translations_do_not_mix),
		TEST("five levels of page tables", five_levels),
		TEST("KASLR moves the kernel in physical memory", kaslr),
		TEST("a read goes over pages that are not neighbours", reads_go_over_pages),
		TEST("a string ends with its 0, wherever the page ends", strings),
		TEST("a table's size is bounded before memory is taken for it", tables_are_bounded),
		TEST("a hostile page table is no crash, and the address is named", hostile_tables),
		TEST("a dump without page tables, or of another machine, is refused for that",
		     what_is_needed_is_named),
	};
	return RUN_TESTS(tests);
}
