// SPDX-License-Identifier: GPL-2.0-only
/* kallsyms of kernels whose vmcoreinfo does not tell where it is: found by what its tables look like. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "symbols/kallsyms.h"
#include "test.h"

#define STEXT	   0xffffffff81000000ull
#define TABLES	   0xffffffff82000000ull /* the first of them */
#define DATA	   0xffffffff82100000ull
#define NR_SYMBOLS 1000
#define OTHERS	   81920 /* bytes that are not theirs */

struct tables {
	uint8_t bytes[160000];
	size_t size;
	size_t markers_at, index_at;
};

static void align(struct tables *t, size_t to)
{
	t->size = (t->size + to - 1) / to * to;
}

static void put(struct tables *t, const void *data, size_t size)
{
	assert_true(t->size + size <= sizeof(t->bytes));
	memcpy(t->bytes + t->size, data, size);
	t->size += size;
}

static void put_u32(struct tables *t, uint32_t number)
{
	put(t, &number, sizeof(number));
}

static void put_u64(struct tables *t, uint64_t number)
{
	put(t, &number, sizeof(number));
}

static uint64_t address(size_t i)
{
	return STEXT + i * 16;
}

static void name(size_t i, char ret[32])
{
	snprintf(ret, 32, i ? "function_%zu" : "_stext", i);
}

/* num_syms, names, markers: as far as they always stand together. */
static void put_names(struct tables *t, size_t to)
{
	uint32_t markers[NR_SYMBOLS / 256 + 1];
	char its[32];

	put_u32(t, NR_SYMBOLS);
	align(t, to);
	size_t start = t->size;
	for (size_t i = 0; i < NR_SYMBOLS; i++) {
		name(i, its);
		uint8_t head[2] = { strlen(its) + 1, 'T' };
		if (i % 256 == 0)
			markers[i / 256] = t->size - start;
		put(t, head, 2);
		put(t, its, strlen(its));
	}
	align(t, to);
	t->markers_at = t->size;
	put(t, markers, sizeof(markers));
	align(t, to);
}

/* Each token is the character itself, or two of them. */
static void put_tokens(struct tables *t, size_t to)
{
	uint16_t index[256];
	size_t start = t->size;

	for (int i = 0; i < 256; i++) {
		const char token[3] = { i ? i : '!', i < 32 ? '_' : 0, 0 };
		index[i] = t->size - start;
		put(t, token, strlen(token) + 1);
	}
	align(t, to);
	t->index_at = t->size;
	put(t, index, sizeof(index));
	align(t, to);
}

static void put_relative(struct tables *t)
{
	for (size_t i = 0; i < NR_SYMBOLS; i++)
		put_u32(t, -1 - (uint32_t)(i * 16));
}

enum layout { LAYOUT_5_10, LAYOUT_6_1, LAYOUT_ADDRESSES, LAYOUT_6_12, LAYOUT_7_2, NR_LAYOUTS };

static void lay_out(struct tables *t, enum layout layout)
{
	size_t to = layout >= LAYOUT_6_12 ? 4 : 8;

	memset(t, 0, sizeof(*t));
	t->size = OTHERS;
	if (layout == LAYOUT_ADDRESSES) {
		for (size_t i = 0; i < NR_SYMBOLS; i++)
			put_u64(t, address(i));
	} else if (layout < LAYOUT_6_12) {
		put_relative(t);
		align(t, 8);
		put_u64(t, STEXT);
	}
	put_names(t, to);
	if (layout == LAYOUT_6_1) {
		for (size_t i = 0; i < 3 * NR_SYMBOLS; i++)
			put(t, "\x01\x02\x01" + i % 3, 1);
		align(t, 8);
	}
	put_tokens(t, to);
	if (layout == LAYOUT_6_12) {
		put_relative(t);
		align(t, 8);
		put_u64(t, STEXT);
	} else if (layout == LAYOUT_7_2) {
		for (size_t i = 0; i < NR_SYMBOLS; i++)
			put_u32(t, address(i) - (TABLES + t->size));
	}
}

static struct error *scan(const struct tables *t, const char *more, struct kallsyms *ret)
{
	struct make_kernel k;
	struct made_memory m;

	make_kernel_init(&k);
	make_kernel_line(&k, "info SYMBOL(_stext)=%llx", STEXT);
	make_kernel_line(&k, "info SYMBOL(init_uts_ns)=%llx", DATA);
	k.dump.poke(&k.dump, TABLES, t->bytes, t->size);
	make_kernel_text(&k, more);
	make_kernel_open_memory(&k, &m);
	struct error *err = kallsyms_init(ret, &m.memory, &m.info);
	made_memory_close(&m);
	make_kernel_deinit(&k);
	return err;
}

static void each_layout(void **state)
{
	(void)state;
	for (enum layout layout = 0; layout < NR_LAYOUTS; layout++) {
		struct kallsyms kallsyms;
		struct tables t;
		char expected[32], found[KSYM_NAME_SIZE];
		lay_out(&t, layout);
		assert_no_error(scan(&t, "", &kallsyms));
		assert_int_equal(kallsyms.count, NR_SYMBOLS);
		for (uint32_t i = 0; i < NR_SYMBOLS; i++) {
			name(i, expected);
			kallsyms_name(&kallsyms, i, found);
			assert_string_equal(found, expected);
			assert_true(kallsyms_address(&kallsyms, i) == address(i));
		}
		kallsyms_deinit(&kallsyms);
	}
}

/* Wherever the tables lie in their pages. */
static void each_place(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < PAGE_SIZE; shift += 248) {
		struct kallsyms kallsyms;
		struct tables t;
		lay_out(&t, LAYOUT_5_10);
		memmove(t.bytes + shift, t.bytes, t.size);
		memset(t.bytes, 0, shift);
		t.size += shift;
		assert_no_error(scan(&t, "", &kallsyms));
		assert_int_equal(kallsyms.count, NR_SYMBOLS);
		kallsyms_deinit(&kallsyms);
	}
}

static void damaged_tables(void **state)
{
	(void)state;
	for (enum layout layout = 0; layout < NR_LAYOUTS; layout++) {
		for (int what = 0; what < 6; what++) {
			struct kallsyms kallsyms;
			struct tables t;
			lay_out(&t, layout);
			switch (what) {
			case 0: /* markers that get no smaller */
				memset(t.bytes + t.markers_at, 0xff, 4);
				break;
			case 1: /* a name that is as long as all */
				memset((char *)memmem(t.bytes, t.size, "Tfunction_7", 11) - 1, 0xff,
				       2);
				break;
			case 2: /* a token that is longer than the index says */
				t.bytes[t.index_at - 100] = 'x';
				t.bytes[t.index_at - 101] = 'x';
				break;
			case 3:
				t.bytes[t.index_at + 301] ^= 0x80;
				break;
			case 4: /* only the index */
				memset(t.bytes, 0, t.index_at);
				break;
			case 5: /* another symbol at _stext */
				memcpy(memmem(t.bytes, t.size, "_stext", 6), "_sText", 6);
				break;
			}
			struct error *err = scan(&t, "", &kallsyms);
			if (!err)
				fail_msg("layout %d, damage %d: is taken", layout, what);
			error_destroy(err);
		}
	}
}

static void lost_pages(void **state)
{
	struct kallsyms kallsyms;
	struct tables t;

	(void)state;
	lay_out(&t, LAYOUT_5_10);
	assert_error(scan(&t, "exclude 0xffffffff82016000\n", &kallsyms), ERROR_EXCLUDED,
		     "kallsyms");
	/* Those between them and the data are not needed. */
	assert_no_error(scan(&t, "at 0xffffffff820f1000\n u32 1\n exclude 0xffffffff820f1000\n",
			     &kallsyms));
	kallsyms_deinit(&kallsyms);
}

/* An index on each page, whose tokens are right, and markers without end before it. */
static void tables_without_end(void **state)
{
	struct make_kernel k;
	struct made_memory m;
	struct kallsyms kallsyms;
	struct tables t;

	(void)state;
	memset(&t, 0, sizeof(t));
	while (t.size < sizeof(t.bytes) - PAGE_SIZE) {
		size_t end = (t.size / PAGE_SIZE + 1) * PAGE_SIZE - 2048;
		while (t.size < end)
			put_u32(&t, 0x1000000 + t.size);
		put_tokens(&t, 8);
		align(&t, PAGE_SIZE);
	}
	make_kernel_init(&k);
	make_kernel_line(&k, "info SYMBOL(_stext)=%llx", STEXT);
	make_kernel_line(&k, "info SYMBOL(init_uts_ns)=%llx", DATA);
	k.dump.poke(&k.dump, TABLES, t.bytes, t.size);
	make_kernel_open_memory(&k, &m);
	assert_error(kallsyms_init(&kallsyms, &m.memory, &m.info), ERROR_NOT_FOUND,
		     "no such table");
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the tables are found in the order of each release", each_layout),
		TEST("they may lie anywhere in their pages", each_place),
		TEST("what only looks like them is refused", damaged_tables),
		TEST("pages that are not in the dump are passed over", lost_pages),
		TEST("a memory full of such tables is no hang", tables_without_end),
	};
	return RUN_TESTS(tests);
}
