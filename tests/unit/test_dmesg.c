// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log: a ring of 8 descriptors and 256 bytes of text, written down by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmesg_line.h"
#include "make_kernel.h"
#include "state/dmesg.h"
#include "test.h"

#define DESCS 0xffff888000010000ull
#define INFOS 0xffff888000020000ull
#define DATA  0xffff888000030000ull
#define SIZE  256

#define COMMITTED (1ull << 62)
#define FINALIZED (2ull << 62)
#define REUSABLE  (3ull << 62)

#define FAILED_LPOS 1
#define EMPTY_LPOS  3

/* Offsets as 6.1 has them. */
static const char layout[] = "info SYMBOL(prb)=ffff888000000000\n"
			     "info OFFSET(printk_ringbuffer.desc_ring)=0\n"
			     "info OFFSET(printk_ringbuffer.text_data_ring)=40\n"
			     "info OFFSET(prb_desc_ring.count_bits)=0\n"
			     "info OFFSET(prb_desc_ring.descs)=8\n"
			     "info OFFSET(prb_desc_ring.infos)=16\n"
			     "info OFFSET(prb_desc_ring.head_id)=24\n"
			     "info OFFSET(prb_desc_ring.tail_id)=32\n"
			     "info OFFSET(prb_data_ring.size_bits)=0\n"
			     "info OFFSET(prb_data_ring.data)=8\n"
			     "info SIZE(prb_desc)=24\n"
			     "info OFFSET(prb_desc.state_var)=0\n"
			     "info OFFSET(prb_desc.text_blk_lpos)=8\n"
			     "info OFFSET(prb_data_blk_lpos.begin)=0\n"
			     "info OFFSET(prb_data_blk_lpos.next)=8\n"
			     "info SIZE(printk_info)=88\n"
			     "info OFFSET(printk_info.ts_nsec)=8\n"
			     "info OFFSET(printk_info.text_len)=16\n";

struct log {
	struct make_kernel k;
	uint64_t infos;
	uint64_t next_lpos;
};

static void log_init(struct log *log, uint64_t tail_id, uint64_t head_id, uint64_t first_lpos)
{
	memset(log, 0, sizeof(*log));
	make_kernel_init(&log->k);
	make_kernel_text(&log->k, layout);
	make_kernel_text(
		&log->k,
		"at 0xffff888000000000\n u64 0xffff888000001000\n at 0xffff888000001000\n");
	make_kernel_line(&log->k, "u64 3 0x%llx 0x%llx 0x%llx 0x%llx 8 0x%llx", DESCS, INFOS,
			 (unsigned long long)head_id, (unsigned long long)tail_id, DATA);
	make_kernel_line(&log->k, "at 0x%llx", DESCS);
	make_kernel_text(&log->k, "fill 192 0\n");
	make_kernel_line(&log->k, "at 0x%llx", INFOS);
	make_kernel_text(&log->k, "fill 704 0\n");
	make_kernel_line(&log->k, "at 0x%llx", DATA);
	make_kernel_text(&log->k, "fill 256 0x23\n");
	log->infos = INFOS;
	log->next_lpos = first_lpos;
}

static void add_raw(struct log *log, uint64_t id, uint64_t state, uint64_t t_ns, unsigned int level,
		    uint64_t begin, uint64_t next, unsigned int text_len)
{
	make_kernel_line(&log->k, "at 0x%llx", DESCS + id % 8 * 24);
	make_kernel_line(&log->k, "u64 0x%llx 0x%llx 0x%llx", (unsigned long long)(state | id),
			 (unsigned long long)begin, (unsigned long long)next);
	make_kernel_line(&log->k, "at 0x%llx", (unsigned long long)(log->infos + id % 8 * 88));
	make_kernel_line(&log->k, "u64 %llu %llu\n u16 %u\n u8 0 0x%x", (unsigned long long)id,
			 (unsigned long long)t_ns, text_len, level << 5);
}

/* Takes room as data_alloc() does: the id, the text, and all of it at the start if it goes over the end. */
static void add(struct log *log, uint64_t id, uint64_t t_ns, unsigned int level, const char *text)
{
	uint64_t size = 8 + (strlen(text) + 7) / 8 * 8, begin = log->next_lpos, next = begin + size;
	uint64_t at = begin % SIZE;

	if (begin / SIZE != next / SIZE && next % SIZE) {
		at = 0;
		next = (next / SIZE) * SIZE + size;
	}
	make_kernel_line(&log->k, "at 0x%llx", DATA + at);
	make_kernel_line(&log->k, "u64 %llu", (unsigned long long)id);
	/* Not as a line of text: it may have several. */
	log->k.dump.poke(&log->k.dump, DATA + at + 8, text, strlen(text));
	add_raw(log, id, FINALIZED, t_ns, level, begin, next, strlen(text));
	log->next_lpos = next;
}

/* Opens what the log was written to. */
static void read_log(struct log *log, struct dmesg *ret)
{
	struct made_memory m;
	struct kernel kernel = {};

	make_kernel_open_memory(&log->k, &m);
	kernel.dump = m.dump;
	kernel.info = m.info;
	kernel.memory = m.memory;
	dmesg_init(ret, &kernel.memory, &kernel.info);
	made_memory_close(&m);
	make_kernel_deinit(&log->k);
}

static void records_in_order(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 2, 0);
	add(&log, 0, 1000, 5, "Linux version");
	add(&log, 1, 2000, 6, "12345678"); /* its block ends with the text */
	add(&log, 2, 3000, 0, "Kernel panic");
	read_log(&log, &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 3);
	assert_line(&dmesg, 0, 1000, 5, "Linux version");
	assert_line(&dmesg, 1, 2000, 6, "12345678");
	assert_line(&dmesg, 2, 3000, 0, "Kernel panic");
	dmesg_deinit(&dmesg);
}

/* Ids and positions that went round many times; the last block does not fit before the end. */
static void a_ring_that_went_round(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 1004, 1009, 7 * SIZE + 200);
	add(&log, 1004, 1, 6, "before the end");
	add(&log, 1005, 2, 6, "exactly to the end"); /* 200 + 24 + 32 = 256 */
	add(&log, 1006, 3, 6, "at the start");
	log.next_lpos = 8 * SIZE + 232;
	add(&log, 1007, 4, 6, "over the end, so at the start again");
	add(&log, 1008, 5, 6, "and behind it");
	add(&log, 1009, 6, 6, "and again");
	read_log(&log, &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 6);
	assert_line(&dmesg, 0, 1, 6, "before the end");
	assert_line(&dmesg, 1, 2, 6, "exactly to the end");
	assert_line(&dmesg, 3, 4, 6, "over the end, so at the start again");
	assert_line(&dmesg, 4, 5, 6, "and behind it");
	assert_line(&dmesg, 5, 6, 6, "and again");
	dmesg_deinit(&dmesg);
}

static void records_that_are_none(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 7, 0);
	add(&log, 0, 1, 6, "first");
	add_raw(&log, 1, FINALIZED, 2, 6, FAILED_LPOS, FAILED_LPOS, 10); /* no room for its text */
	add_raw(&log, 2, FINALIZED, 3, 6, EMPTY_LPOS, EMPTY_LPOS, 0); /* printk("\n") */
	add_raw(&log, 3, 0, 4, 6, 0, 16, 5); /* reserved: still being written */
	add_raw(&log, 4, REUSABLE, 5, 6, 0, 16, 5);
	add_raw(&log, 4 + 8, FINALIZED, 5, 6, 0, 16, 5); /* another round's */
	add_raw(&log, 5, COMMITTED, 6, 6, 0, 16, 5);
	add(&log, 6, 7, 4, "last");
	read_log(&log, &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 4);
	assert_line(&dmesg, 0, 1, 6, "first");
	assert_line(&dmesg, 1, 3, 6, "");
	assert_line(&dmesg, 2, 6, 6, "first");
	assert_line(&dmesg, 3, 7, 4, "last");
	dmesg_deinit(&dmesg);
}

static void records_of_several_lines(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 1, 0);
	add(&log, 0, 1, 3, "one\ntwo\n\nfour\n");
	add(&log, 1, 2, 6, "\xff\x1b[2J\xf0");
	read_log(&log, &dmesg);
	assert_int_equal(dmesg.lines.count, 5);
	assert_line(&dmesg, 0, 1, 3, "one");
	assert_line(&dmesg, 1, 1, 3, "two");
	assert_line(&dmesg, 2, 1, 3, "");
	assert_line(&dmesg, 3, 1, 3, "four");
	assert_line(&dmesg, 4, 2, 6, "\xff\x1b[2J\xf0");
	dmesg_deinit(&dmesg);
}

/* A ring of newlines, all of which each of its records says to have. */
static void records_that_share_their_text(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 7, 0);
	make_kernel_line(&log.k, "at 0x%llx", DATA);
	make_kernel_text(&log.k, "fill 256 0x0a\n");
	for (size_t n = 0; n < 8; n++)
		add_raw(&log, n, FINALIZED, 1, 6, 0, 248, 65535);
	read_log(&log, &dmesg);
	assert_non_null(dmesg.error);
	assert_int_equal(dmesg.error->class, ERROR_CORRUPT);
	assert_int_equal(dmesg.lines.count, 240);
	dmesg_deinit(&dmesg);
}

/* Positions and lengths that lie: the text stays within the ring. */
static void hostile_records(void **state)
{
	static const uint64_t values[] = {
		0,	   8,	16,  248,     255,	 256,	     257,
		504,	   512, 760, 1 << 20, INT64_MAX, 1ull << 63, UINT64_MAX - 7,
		UINT64_MAX
	};
	const size_t count = sizeof(values) / sizeof(values[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct dmesg dmesg;
		struct log log;
		log_init(&log, 0, 7, 0);
		for (size_t n = 0; n < 8; n++)
			add_raw(&log, n, FINALIZED, 1, 6, values[i], values[(i + 2 * n) % count],
				65535);
		read_log(&log, &dmesg);
		/* All have the same text: there is not room for so many. */
		if (dmesg.error)
			assert_non_null(strstr(dmesg.error->message, "more text than"));
		assert_true(dmesg.lines.count <= SIZE);
		for (size_t n = 0; n < dmesg.lines.count; n++)
			assert_true(strlen(dmesg.lines.data[n].text) <= SIZE - 8);
		dmesg_deinit(&dmesg);
	}
}

static void who_logged_it_and_about_what(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 2, 0);
	make_kernel_text(&log.k, "info OFFSET(printk_info.caller_id)=20\n"
				 "info OFFSET(printk_info.dev_info)=24\n"
				 "info OFFSET(dev_printk_info.subsystem)=0\n"
				 "info OFFSET(dev_printk_info.device)=16\n");
	add(&log, 0, 1, 6, "of a task");
	make_kernel_line(&log.k, "at 0x%llx\n u32 173\n", INFOS + 20);
	add(&log, 1, 2, 6, "of a device");
	make_kernel_line(
		&log.k,
		"at 0x%llx\n u32 0x80000001\n str pci\n at 0x%llx\n str +pci:0000:00:01.0\n",
		INFOS + 88 + 20, INFOS + 88 + 40);
	add(&log, 2, 3, 6, "of a name without an end");
	make_kernel_line(&log.k, "at 0x%llx\n fill 64 0x61\n", INFOS + 2 * 88 + 24);
	read_log(&log, &dmesg);
	assert_no_error(dmesg.error);
	const struct dmesg_line *lines = dmesg.lines.data;
	assert_int_equal(dmesg.lines.count, 3);
	assert_true(lines[0].has_caller);
	assert_int_equal(lines[0].caller, 173);
	assert_null(lines[0].subsystem);
	assert_null(lines[0].device);
	assert_int_equal(lines[1].caller, DMESG_CALLER_CPU | 1);
	assert_string_equal(lines[1].subsystem, "pci");
	assert_string_equal(lines[1].device, "+pci:0000:00:01.0");
	assert_int_equal(strlen(lines[2].subsystem), 15);
	assert_int_equal(strlen(lines[2].device), 47);
	dmesg_deinit(&dmesg);
}

/* A table of the ring begins 480 bytes before the end of its page, and the next page is not in the dump. */
static void a_page_of_the_ring_is_missing(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0, 7, 0);
	log.infos = INFOS + 4096 - 480;
	make_kernel_line(&log.k, "at 0xffff888000001010\n u64 0x%llx\n",
			 (unsigned long long)log.infos);
	for (uint64_t i = 0; i < 8; i++)
		add(&log, i, i, 6, "text");
	make_kernel_line(&log.k, "exclude 0x%llx\n", INFOS + 4096);
	read_log(&log, &dmesg);
	assert_int_equal(dmesg.lines.count, 5); /* the sixth goes over the page's end */
	assert_line(&dmesg, 4, 4, 6, "text");
	assert_error(dmesg.error, ERROR_EXCLUDED, "3 records are lost");
	dmesg.error = NULL;
	dmesg_deinit(&dmesg);
}

static void hostile_rings(void **state)
{
	static const struct {
		const char *change, *says;
	} cases[] = {
		{ "at 0xffff888000000000\n u64 0\n", "unmapped" },
		{ "at 0xffff888000001000\n u32 22\n", "2^22" },
		{ "at 0xffff888000001000\n u32 0xffffffff\n", "2^4294967295" },
		{ "at 0xffff888000001000\n u32 21\n", "unmapped" },
		{ "at 0xffff888000001008\n u64 0\n", "unmapped" },
		{ "at 0xffff888000001010\n u64 0xffffc90000000000\n", "unmapped" },
		{ "at 0xffff888000001028\n u32 27\n", "printk buffer" },
		{ "at 0xffff888000001028\n u32 26\n", "unmapped" },
		{ "exclude 0xffff888000020000\n", "excluded" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dmesg dmesg;
		struct log log;
		log_init(&log, 0, 1, 0);
		make_kernel_text(&log.k, cases[i].change);
		read_log(&log, &dmesg);
		if (!dmesg.error)
			fail_msg("case %zu is taken", i);
		assert_non_null(strstr(dmesg.error->message, "kernel log"));
		if (!strstr(dmesg.error->message, cases[i].says))
			fail_msg("case %zu: %s", i, dmesg.error->message);
		assert_int_equal(dmesg.lines.count, 0);
		dmesg_deinit(&dmesg);
	}
}

/* A vmcoreinfo is untrusted too: offsets that are negative go round 2^64. */
static void hostile_layouts(void **state)
{
	static const char *const keys[] = {
		"SIZE(prb_desc)",
		"OFFSET(prb_desc.state_var)",
		"OFFSET(prb_desc.text_blk_lpos)",
		"OFFSET(prb_data_blk_lpos.begin)",
		"OFFSET(prb_data_blk_lpos.next)",
		"SIZE(printk_info)",
		"OFFSET(printk_info.ts_nsec)",
		"OFFSET(printk_info.text_len)",
	};
	static const char *const values[] = {
		"-8",
		"-3",
		"-1",
		"-4096",
		"17",
		"85",
		"4097",
		"0x7fffffffffffffff",
		"0xfffffffffffffff8",
	};

	(void)state;
	for (size_t i = 0; i < 8 * 9; i++) {
		struct made_memory m;
		struct kernel kernel = {};
		struct dmesg dmesg;
		struct log log;
		char *at, line[128];
		log_init(&log, 0, 1, 0);
		add(&log, 0, 1, 6, "text");
		/* The first line that has the key counts. */
		snprintf(line, sizeof(line), "%s=%s\n", keys[i % 8], values[i / 8]);
		at = log.k.dump.info;
		log.k.dump.info = malloc(strlen(at) + strlen(line) + 1);
		assert_non_null(log.k.dump.info);
		sprintf(log.k.dump.info, "%s%s", line, at);
		free(at);
		make_kernel_open_memory(&log.k, &m);
		kernel = (struct kernel){ .dump = m.dump, .info = m.info, .memory = m.memory };
		dmesg_init(&dmesg, &kernel.memory, &kernel.info);
		if (dmesg.error)
			assert_int_equal(dmesg.error->class, ERROR_CORRUPT);
		dmesg_deinit(&dmesg);
		made_memory_close(&m);
		make_kernel_deinit(&log.k);
	}
}

static void what_is_needed_is_named(void **state)
{
	struct made_memory m;
	struct make_kernel k;
	struct dmesg dmesg;

	(void)state;
	make_kernel_init(&k);
	make_kernel_open_memory(&k, &m);
	struct kernel kernel = { .dump = m.dump, .info = m.info, .memory = m.memory };
	dmesg_init(&dmesg, &kernel.memory, &kernel.info);
	assert_non_null(strstr(dmesg.error->message, "SYMBOL(prb)"));
	dmesg_deinit(&dmesg);
	made_memory_close(&m);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("records come in their order, with time and level", records_in_order),
		TEST("a ring that went round, and a record that did not fit before its end",
		     a_ring_that_went_round),
		TEST("records without text, or not yet written, are no lines; an empty line is one",
		     records_that_are_none),
		TEST("a record of several lines is as many", records_of_several_lines),
		TEST("a record tells who logged it, and about which device",
		     who_logged_it_and_about_what),
		TEST("a missing page costs the records that are on it",
		     a_page_of_the_ring_is_missing),
		TEST("hostile records stay within the ring", hostile_records),
		TEST("records that share their text are given up", records_that_share_their_text),
		TEST("a hostile ring is an error, and the log is empty", hostile_rings),
		TEST("hostile offsets in the vmcoreinfo are refused", hostile_layouts),
		TEST("a vmcoreinfo that does not lead to the log is named",
		     what_is_needed_is_named),
	};
	return RUN_TESTS(tests);
}
