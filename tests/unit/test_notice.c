// SPDX-License-Identifier: GPL-2.0-only
/* The record in a few lines, and where they go. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "make_dump.h"
#include "make_record.h"
#include "report/notice.h"
#include "report/outlet.h"
#include "state/clocks.h"

#define NR_CPUS 3
#define RIP	16 /* in x86-64's struct pt_regs */

static char kallsyms[] = "ffffffff81000000 T do_loop\n"
			 "ffffffff81000040 T do_call\n"
			 "ffffffff81000080 T do_entry\n"
			 "ffffffffc0000000 t ld_spin\t[ld]\n"
			 "ffffffffc0000020 t ld_set\t[ld]\n"
			 "ffffffffc0000060 t ld_end\t[ld]\n";

struct fixture {
	char *data;
	struct record_header *header;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->data = calloc(1 + NR_CPUS, RECORD_SLOT_SIZE);
	fixture->header = (void *)fixture->data;
	make_record_header(fixture->header, NR_CPUS);
	fixture->header->threshold_ns = 2 * SECOND_NS;
	fixture->header->anchor_monotonic_ns = 1000 * SECOND_NS;
	fixture->header->anchor_realtime_ns = 1767225600 * SECOND_NS; /* 2026-01-01 00:00:00 UTC */
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->data);
	free(fixture);
	return 0;
}

static struct record_slot *slot_of(const struct fixture *fixture, uint32_t cpu)
{
	return (void *)(fixture->data + (size_t)RECORD_SLOT_SIZE * (1 + cpu));
}

/* Stuck from @onset_s to @last_s, with a sample of the end. */
static void lock_up(const struct fixture *fixture, uint32_t cpu, unsigned int onset_s,
		    unsigned int last_s, const char *comm)
{
	static const uint64_t stack[] = { 0xffffffff810000a0, 0xffffffffc0000008,
					  0xffffffffc0000030, 0xffffffff81000080 };
	struct record_slot *slot = slot_of(fixture, cpu);
	struct record_sample *sample = &slot->samples[0];

	slot->onset_ns = onset_s * SECOND_NS;
	slot->wanted_ns = slot->onset_ns + 1;
	slot->last_ns = last_s * SECOND_NS;
	sample->number = sample->number_end = 1;
	sample->onset_ns = slot->onset_ns;
	sample->time_ns = slot->last_ns;
	sample->pid = 100 + cpu;
	sample->nr_running = 3;
	snprintf(sample->comm, sizeof(sample->comm), "%s", comm);
	sample->flags = RECORD_SAMPLE_REGS;
	sample->regs[RIP] = stack[1];
	sample->nr_stack = sizeof(stack) / sizeof(stack[0]);
	memcpy(sample->stack, stack, sizeof(stack));
}

static char *print_of(const struct fixture *fixture, unsigned int nr_cpus, unsigned int now_s,
		      bool names)
{
	_cleanup_fclose_ FILE *in = names ? fmemopen(kallsyms, sizeof(kallsyms) - 1, "r") : NULL;
	struct record record;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_no_error(record_view(fixture->data, (1 + nr_cpus) * RECORD_SLOT_SIZE, &record));
	assert_no_error(notice_print_heads(&record, now_s * SECOND_NS, out));
	assert_no_error(notice_print_stacks(&record, now_s * SECOND_NS, in, out));
	fclose(out);
	return text;
}

static char *print(const struct fixture *fixture, unsigned int now_s, bool names)
{
	return print_of(fixture, NR_CPUS, now_s, names);
}

static void test_stuck(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0, 1000, 1001, "short");
	lock_up(fixture, 1, 1010, 1022, "ev\x1bil");
	lock_up(fixture, 2, 1000, 1005, "over");
	slot_of(fixture, 2)->end_ns = 1006 * SECOND_NS;
	strcpy(fixture->header->incident, "20260101T000010Z-01234567");
	_cleanup_free_ char *text = print(fixture, 1022, true);
	assert_string_equal(
		text,
		"CPU 1 is stuck for 12.0 s, since 2026-01-01 00:00:10 UTC, in ev?il (pid 101), 2 wait\n"
		"incident 20260101T000010Z-01234567\n"
		"CPU 1: ld_spin+0x8/0x20 [ld] < ld_set+0x10/0x40 [ld] < do_call+0x40/0x40\n");
}

static void test_over(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0, 1000, 1004, "first");
	slot_of(fixture, 0)->end_ns = 1004 * SECOND_NS;
	lock_up(fixture, 2, 1010, 1013, "second");
	slot_of(fixture, 2)->end_ns = 1013 * SECOND_NS;
	_cleanup_free_ char *text = print(fixture, 1100, false);
	assert_string_equal(
		text,
		"CPU 2 was stuck for 3.0 s, since 2026-01-01 00:00:10 UTC, in second (pid 102), 2 wait\n"
		"CPU 2: 0xffffffffc0000008 < 0xffffffffc0000030 < 0xffffffff81000080\n");
}

static void test_silent(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0, 1000, 1004, "first");
	_cleanup_free_ char *text = print(fixture, 1030, false);
	assert_non_null(strstr(text, ", 2 wait; no timer interrupts for 26.0 s\n"));
}

/* As CPU 0 sees it. */
static void deafen(const struct fixture *fixture, uint32_t cpu, unsigned int since_s,
		   unsigned int last_s)
{
	struct record_deaf *deaf = &slot_of(fixture, 0)->deaf[cpu];

	*deaf = (struct record_deaf){
		.cpu = cpu,
		.pid = 200 + cpu,
		.since_ns = since_s * SECOND_NS,
		.last_ns = last_s * SECOND_NS,
		.comm = "deaf",
	};
}

static void test_deaf(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 1, 1000, 1004, "before");
	slot_of(fixture, 1)->end_ns = 1004 * SECOND_NS;
	lock_up(fixture, 2, 1012, 1016, "both");
	deafen(fixture, 1, 1010, 1021);
	deafen(fixture, 2, 1016, 1021);
	_cleanup_free_ char *text = print(fixture, 1022, false);
	assert_string_equal(
		text,
		"CPU 1 takes no interrupts for 11.0 s, since 2026-01-01 00:00:10 UTC, in deaf (pid 201)\n"
		"CPU 2 is stuck for 4.0 s, since 2026-01-01 00:00:12 UTC, in both (pid 102), 2 wait; "
		"no timer interrupts for 5.0 s\n"
		"CPU 2: 0xffffffffc0000008 < 0xffffffffc0000030 < 0xffffffff81000080\n");
	/* Who saw it has not looked again. */
	_cleanup_free_ char *later = print(fixture, 1060, false);
	assert_null(strstr(later, "takes no interrupts"));
}

static void test_conditions(void **state)
{
	struct fixture *fixture = *state;
	struct record_condition *hung = &slot_of(fixture, 1)->conditions[RECORD_KIND_HUNG_TASK];

	slot_of(fixture, 0)->conditions[RECORD_KIND_RCU_STALL].since_ns = 1000 * SECOND_NS;
	hung->since_ns = hung->last_ns = 1010 * SECOND_NS;
	hung->words[1] = 77;
	_cleanup_free_ char *text = print(fixture, 1012, false);
	assert_string_equal(text,
			    "CPU 1 sees: a task hangs (pid 77), since 2026-01-01 00:00:10 UTC\n");
	/* It may be the consequence. */
	lock_up(fixture, 2, 1000, 1010, "stuck");
	_cleanup_free_ char *with = print(fixture, 1012, false);
	assert_null(strstr(with, "hangs"));
}

static void test_nothing(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ char *text = print(fixture, 1100, true);

	assert_string_equal(text, "no CPU has been stuck since 2026-01-01 00:00:00 UTC\n");
}

/* With all stacks it is less than what ramoops keeps of 4 KB with ECC, 3604 bytes. */
static void test_many(void **state)
{
	struct fixture many = {};
	unsigned int nr_cpus = 100;

	(void)state;
	many.data = calloc(1 + nr_cpus, RECORD_SLOT_SIZE);
	many.header = (void *)many.data;
	make_record_header(many.header, nr_cpus);
	many.header->threshold_ns = 2 * SECOND_NS;
	strcpy(many.header->incident, "20260101T000010Z-01234567");
	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		struct record_sample *sample = &slot_of(&many, cpu)->samples[0];
		lock_up(&many, cpu, 2000 - cpu, 2010, "fifteen letters");
		sample->nr_stack = RECORD_STACK_MAX;
		for (size_t i = 4; i < RECORD_STACK_MAX; i++)
			sample->stack[i] = 0xffffffff81000090;
	}
	_cleanup_free_ char *text = print_of(&many, nr_cpus, 2010, false);
	assert_non_null(strstr(text, "CPU 99 is stuck for 109.0 s, since "));
	assert_null(strstr(text, "CPU 94 is stuck"));
	assert_non_null(strstr(text, "\n95 more CPUs are stuck, since later\nincident "));
	assert_in_range(strlen(text), 2500, 3400);
	free(many.data);
}

/* A root with what the outlets need: files. */
static void make_root(char *root, const char *devkmsg, const char *printk)
{
	char command[512];

	strcpy(root, "/tmp/lockdump-test.XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p dev proc/sys/kernel && : >dev/kmsg && "
		 "echo '%s' >proc/sys/kernel/printk && echo %s >proc/sys/kernel/printk_devkmsg",
		 root, printk, devkmsg);
	assert_int_equal(system(command), 0);
}

static void read_log(const char *root, char *ret, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	_cleanup_fclose_ FILE *file = fopen(path, "r");
	assert_non_null(file);
	ret[fread(ret, 1, size - 1, file)] = '\0';
}

static void remove_root(const char *root)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void test_console(void **state)
{
	char root[64], log[256];

	(void)state;
	make_root(root, "on", "7 4 1 7");
	assert_no_error(outlet_write(OUTLET_CONSOLE, root, "one\ntwo\n", false));
	read_log(root, log, sizeof(log));
	assert_string_equal(log, "<2>lockdump: one\n<2>lockdump: two\n");
	remove_root(root);
	/* A quiet console shows less. */
	make_root(root, "on", "1 4 1 7");
	assert_no_error(outlet_write(OUTLET_CONSOLE, root, "one", false));
	read_log(root, log, sizeof(log));
	assert_string_equal(log, "<0>lockdump: one\n");
	remove_root(root);
}

static void test_limit(void **state)
{
	char root[64], log[1024];

	(void)state;
	make_root(root, "ratelimit", "7 4 1 7");
	assert_no_error(
		outlet_write(OUTLET_CONSOLE, root, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", false));
	read_log(root, log, sizeof(log));
	assert_non_null(strstr(log, ": 10\n"));
	assert_null(strstr(log, ": 11\n"));
	remove_root(root);
}

static void test_refused(void **state)
{
	char root[64];

	(void)state;
	make_root(root, "off", "7 4 1 7");
	assert_error(outlet_check(OUTLET_CONSOLE, root), ERROR_SYSTEM,
		     "kernel.printk_devkmsg is \"off\"");
	assert_error(outlet_check(OUTLET_PMSG, root), ERROR_SYSTEM, "CONFIG_PSTORE_PMSG=y");
	assert_int_equal(outlet_find("syslog"), OUTLET_NONE);
	remove_root(root);
}

#define NOTICE_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTICE_TEST("who is stuck, where and since when, is said in three lines",
			    test_stuck),
		NOTICE_TEST("if nobody is, it is the last who was; without names in numbers",
			    test_over),
		NOTICE_TEST("a CPU that takes no timer interrupts is said to", test_silent),
		NOTICE_TEST(
			"a CPU that takes no interrupts is one that is stuck, as long as it is seen",
			test_deaf),
		NOTICE_TEST("what else is wrong is said where no CPU is stuck", test_conditions),
		NOTICE_TEST("of many only the first are told, and the others counted", test_many),
		NOTICE_TEST("that nobody ever was is said, too", test_nothing),
		TEST("the kernel's log gets each line with a level that the console shows",
		     test_console),
		TEST("who cannot wait leaves out what the kernel would not take", test_limit),
		TEST("where nothing would come through that is an error, with the remedy",
		     test_refused),
	};

	return RUN_TESTS(tests);
}
