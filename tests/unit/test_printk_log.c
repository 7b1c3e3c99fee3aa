// SPDX-License-Identifier: GPL-2.0-only
/* The log of kernels up to 5.9: a buffer of 256 bytes, written down by hand; and CPUs' own buffers up to 5.14. */
#include <stdio.h>
#include <string.h>

#include "dmesg_line.h"
#include "make_kernel.h"
#include "state/printk_safe.h"
#include "test.h"

#define BUFFER 0xffff888000010000ull
#define SIZE   256

/* Offsets as 5.4 has them, without CONFIG_PRINTK_CALLER. */
static const char layout[] =
	"info SYMBOL(log_buf)=ffff888000001000\n info SYMBOL(log_buf_len)=ffff888000001008\n"
	"info SYMBOL(log_first_idx)=ffff88800000100c\n info SYMBOL(log_next_idx)=ffff888000001010\n"
	"info SIZE(printk_log)=16\n info OFFSET(printk_log.ts_nsec)=0\n"
	"info OFFSET(printk_log.len)=8\n info OFFSET(printk_log.text_len)=10\n"
	"info OFFSET(printk_log.dict_len)=12\n"
	"at 0xffff888000001000\n u64 0xffff888000010000\n u32 256 0 0\n"
	"at 0xffff888000010000\n fill 256 0x23\n";

struct log {
	struct make_kernel k;
	uint64_t at;
};

static void log_init(struct log *log, uint32_t first)
{
	memset(log, 0, sizeof(*log));
	make_kernel_init(&log->k);
	make_kernel_text(&log->k, layout);
	make_kernel_line(&log->k, "at 0xffff88800000100c\n u32 %u\n", first);
	log->at = first;
}

/* As log_store(): what does not fit before the end begins at the start, and a record of length 0 says so. */
static void add(struct log *log, uint64_t t_ns, unsigned int level, const char *text,
		const char *dict, size_t dict_len)
{
	size_t text_len = strlen(text), len = (16 + text_len + dict_len + 7) & ~7;

	if (log->at + len + 16 > SIZE) {
		if (log->at < SIZE)
			make_kernel_line(&log->k, "at 0x%llx\n fill 16 0\n",
					 (unsigned long long)(BUFFER + log->at));
		log->at = 0;
	}
	make_kernel_line(&log->k, "at 0x%llx\n u64 %llu\n u16 %zu %zu %zu\n u8 0 0x%x\n",
			 (unsigned long long)(BUFFER + log->at), (unsigned long long)t_ns, len,
			 text_len, dict_len, level << 5);
	log->k.dump.poke(&log->k.dump, BUFFER + log->at + 16, text, text_len);
	if (dict_len)
		log->k.dump.poke(&log->k.dump, BUFFER + log->at + 16 + text_len, dict, dict_len);
	log->at += len;
}

static void read_log(struct log *log, const char *change, struct dmesg *ret)
{
	struct made_memory m;

	make_kernel_line(&log->k, "at 0xffff888000001010\n u32 %llu\n",
			 (unsigned long long)log->at);
	make_kernel_text(&log->k, change);
	make_kernel_open_memory(&log->k, &m);
	dmesg_init(ret, &m.memory, &m.info);
	made_memory_close(&m);
	make_kernel_deinit(&log->k);
}

static void records_in_order(void **state)
{
	static const char dict[] = "SUBSYSTEM=pci\0DEVICE=+pci:0000:00:01.0";
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 0);
	add(&log, 1000, 5, "Linux version", "", 0);
	add(&log, 2000, 6, "a device", dict, sizeof(dict) - 1);
	add(&log, 3000, 3, "two\nlines", "", 0);
	add(&log, 4000, 6, "", "", 0);
	read_log(&log, "", &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 5);
	assert_line(&dmesg, 0, 1000, 5, "Linux version");
	assert_line(&dmesg, 1, 2000, 6, "a device");
	assert_string_equal(dmesg.lines.data[1].subsystem, "pci");
	assert_string_equal(dmesg.lines.data[1].device, "+pci:0000:00:01.0");
	assert_false(dmesg.lines.data[1].has_caller);
	assert_line(&dmesg, 2, 3000, 3, "two");
	assert_line(&dmesg, 3, 3000, 3, "lines");
	assert_line(&dmesg, 4, 4000, 6, "");
	dmesg_deinit(&dmesg);
}

static void a_log_that_went_round(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 160);
	add(&log, 1, 6, "before the end", "", 0); /* 160..192 */
	add(&log, 2, 6, "still before the end", "", 0); /* 192..232 */
	add(&log, 3, 6, "at the start, for it did not fit", "", 0);
	add(&log, 4, 6, "behind it", "", 0);
	read_log(&log, "", &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 4);
	assert_line(&dmesg, 1, 2, 6, "still before the end");
	assert_line(&dmesg, 2, 3, 6, "at the start, for it did not fit");
	assert_line(&dmesg, 3, 4, 6, "behind it");
	dmesg_deinit(&dmesg);
}

static void an_empty_log(void **state)
{
	struct dmesg dmesg;
	struct log log;

	(void)state;
	log_init(&log, 64);
	read_log(&log, "", &dmesg);
	assert_no_error(dmesg.error);
	assert_int_equal(dmesg.lines.count, 0);
	dmesg_deinit(&dmesg);
}

static void hostile_logs(void **state)
{
	/* The first record is well, 0..24; the second one is at 24. */
	static const struct {
		const char *change, *says;
		size_t lines;
	} cases[] = {
		{ "at 0xffff888000010020\n u16 0\n", "no length", 1 },
		{ "at 0xffff888000010020\n u16 8\n", "longer than it says", 1 },
		{ "at 0xffff888000010020\n u16 1024\n", "over the end", 1 },
		{ "at 0xffff888000010020\n u16 200\n", "over its end", 2 },
		{ "at 0xffff888000010022\n u16 0xffff\n", "longer than it says", 1 },
		{ "at 0xffff888000010024\n u16 0xffff\n", "longer than it says", 1 },
		{ "at 0xffff88800000100c\n u32 257\n", "indices", 0 },
		{ "at 0xffff888000001010\n u32 0xffffffff\n", "indices", 0 },
		/* Round, and there is no end. */
		{ "at 0xffff88800000100c\n u32 48\n at 0xffff888000001010\n u32 40\n", "", 2 },
		{ "at 0xffff888000001000\n u64 0\n", "unmapped", 0 },
		{ "at 0xffff888000001008\n u32 0xffffffff\n", "a table of 4294967295", 0 },
		{ "exclude 0xffff888000010000\n", "excluded", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dmesg dmesg;
		struct log log;
		log_init(&log, 0);
		add(&log, 1, 6, "12345678", "", 0);
		add(&log, 2, 6, "abcdefgh", "", 0);
		add(&log, 3, 6, "the last", "", 0);
		read_log(&log, cases[i].change, &dmesg);
		if (!dmesg.error || !strstr(dmesg.error->message, cases[i].says))
			fail_msg("case %zu: %s", i,
				 dmesg.error ? dmesg.error->message : "no error");
		if (dmesg.lines.count > cases[i].lines)
			fail_msg("case %zu: %zu lines", i, dmesg.lines.count);
		dmesg_deinit(&dmesg);
	}
}

static void hostile_layouts(void **state)
{
	static const char *const lines[] = {
		"info SIZE(printk_log)=65\n",
		"info SIZE(printk_log)=-1\n",
		"info SIZE(printk_log)=8\n",
		"info OFFSET(printk_log.ts_nsec)=9\n",
		"info OFFSET(printk_log.len)=-2\n",
		"info OFFSET(printk_log.text_len)=15\n",
		"info OFFSET(printk_log.dict_len)=13\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct made_memory m;
		struct make_kernel k;
		struct dmesg dmesg;
		make_kernel_init(&k);
		/* The first line that has the key counts. */
		make_kernel_text(&k, lines[i]);
		make_kernel_text(&k, layout);
		make_kernel_open_memory(&k, &m);
		dmesg_init(&dmesg, &m.memory, &m.info);
		assert_non_null(dmesg.error);
		assert_int_equal(dmesg.error->class, ERROR_CORRUPT);
		dmesg_deinit(&dmesg);
		made_memory_close(&m);
		make_kernel_deinit(&k);
	}
}

/* Up to 5.14: CPU 0 has two lines and a half of its own, CPU 1 says that it has more than there is room for. */
static void buffers_of_cpus(void **state)
{
	struct make_kernel k;
	struct dmesg dmesg = {};
	struct cpus cpus = {};

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(
		&k,
		"struct printk_safe_seq_buf 128 len:u32@0 buffer:char[64]@32\n"
		"symbol nmi_print_seq 0x2000 A\n symbol safe_print_seq 0x3000 A\n"
		"at 0xffff888010002000\n u32 18\n at 0xffff888010002020\n"
		"u8 1 0x33 0x4e 0x4d 0x49 10 1 0x63 0x6f 0x6e 10 0x61 10 1 0x37 0x65 0x6e 0x64\n"
		"at 0xffff888020002000\n u32 65\n at 0xffff888020002020\n fill 96 0x61\n"
		"at 0xffff888010003000\n u32 0\n");
	struct kernel *kernel = make_kernel_open(&k);
	for (uint32_t i = 0; i < 2; i++)
		*vector_push(&cpus.list) = (struct cpu){
			.number = i,
			.online = true,
			.per_cpu = 0xffff888010000000 + i * 0x10000000ull,
		};
	*vector_push(&dmesg.lines) = (struct dmesg_line){ .t_ns = 77, .text = "before" };
	printk_safe_read(&dmesg, kernel, &cpus);
	assert_int_equal(dmesg.lines.count, 5);
	assert_line(&dmesg, 1, 77, 3, "NMI");
	assert_line(&dmesg, 2, 77, 4, "on");
	assert_line(&dmesg, 3, 77, 4, "a");
	assert_line(&dmesg, 4, 77, 7, "end");
	assert_int_equal(dmesg.lines.data[4].caller, DMESG_CALLER_CPU | 0);
	dmesg_deinit(&dmesg);
	vector_deinit(&cpus.list);
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("records come in their order, with time, level and device", records_in_order),
		TEST("a log that went round goes on at its start", a_log_that_went_round),
		TEST("an empty log has no lines", an_empty_log),
		TEST("a hostile log gives what comes before, and an error", hostile_logs),
		TEST("what CPUs could not log comes last", buffers_of_cpus),
		TEST("hostile offsets in the vmcoreinfo are refused", hostile_layouts),
	};
	return RUN_TESTS(tests);
}
