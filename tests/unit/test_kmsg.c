// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log, and what its own watchdogs say in it. */
#include <string.h>

#include "capture/kmsg.h"
#include "test.h"

static void test_record(void **state)
{
	char record[] = "4,812,30407888,-,caller=T1;watchdog: \\x1b says\x1b[31m\n SUBSYSTEM=x\n";
	struct kmsg kmsg;

	(void)state;
	assert_true(kmsg_parse(record, &kmsg));
	assert_true(kmsg.from_kernel);
	assert_int_equal(kmsg.time_us, 30407888);
	assert_string_equal(kmsg.text, "watchdog: \\x1b says?[31m");
}

static void test_user(void **state)
{
	char record[] = "12,813,5,-;watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]\n";
	struct kmsg kmsg;

	(void)state;
	assert_true(kmsg_parse(record, &kmsg));
	assert_false(kmsg.from_kernel);
}

static void test_no_record(void **state)
{
	static const char *const bad[] = { "", ";", "4,5,6", "x,1,2,-;text", "4,5;text" };
	struct kmsg kmsg;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char record[64];
		strcpy(record, bad[i]);
		assert_false(kmsg_parse(record, &kmsg));
	}
}

static void test_complaints(void **state)
{
	static const struct {
		const char *text;
		enum record_kind kind;
		unsigned int stuck_s;
	} said[] = {
		{ "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a b:7]",
		  RECORD_KIND_SOFT_LOCKUP, 22 },
		{ "NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", RECORD_KIND_HARD_LOCKUP },
		{ "watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 3",
		  RECORD_KIND_HARD_LOCKUP },
		{ "rcu: INFO: rcu_preempt self-detected stall on CPU", RECORD_KIND_RCU_STALL },
		{ "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", RECORD_KIND_RCU_STALL },
		{ "rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 1-... } 9 jiffies",
		  RECORD_KIND_RCU_STALL },
		{ "INFO: task a:b:77 blocked for more than 120 seconds.", RECORD_KIND_HUNG_TASK,
		  120 },
		{ "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!",
		  RECORD_KIND_WORKQUEUE_STALL, 31 },
	};
	struct complaint complaint;

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		assert_true(kmsg_is_complaint(said[i].text, &complaint));
		assert_int_equal(complaint.kind, said[i].kind);
		assert_int_equal(complaint.stuck_s, said[i].stuck_s);
	}
}

static void test_task(void **state)
{
	struct complaint complaint;

	(void)state;
	kmsg_is_complaint("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [a:b:71]", &complaint);
	assert_int_equal(complaint.cpu, 3);
	assert_int_equal(complaint.pid, 71);
	assert_string_equal(complaint.comm, "a:b");
	kmsg_is_complaint("INFO: task kworker/u4:2:77 blocked for more than 120 seconds.",
			  &complaint);
	assert_int_equal(complaint.pid, 77);
	assert_string_equal(complaint.comm, "kworker/u4:2");
	kmsg_is_complaint("INFO: task a: b:8 blocked for more than 120 seconds.", &complaint);
	assert_int_equal(complaint.pid, 8);
	kmsg_is_complaint("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [", &complaint);
	assert_int_equal(complaint.pid, 0);
}

/* A user names the options of his mounts, and the kernel repeats them. */
static void test_quoted(void **state)
{
	static const char *const said[] = {
		"tmpfs: Unknown parameter 'watchdog: BUG: soft lockup - CPU#1 stuck for 99s!'",
		"x: INFO: task a:1 blocked for more than 120 seconds.",
		"usb 1-1: Product: Watchdog detected hard LOCKUP on cpu 1",
		"rcu: INFO: rcu_sched kthread starved for 5 jiffies!",
		"watchdog: Delayed init of the lockup detector failed: -19",
		"",
	};
	struct complaint complaint;

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_false(kmsg_is_complaint(said[i], &complaint));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a record of the log is read: time, text; without its steering of terminals",
		     test_record),
		TEST("what a user wrote to the log is told from what the kernel did", test_user),
		TEST("what is no record is refused", test_no_record),
		TEST("what each of the kernel's watchdogs says is known", test_complaints),
		TEST("the task that it is about is known, colons and blanks in its name or not",
		     test_task),
		TEST("a user's words that the kernel repeats are no watchdog's", test_quoted),
	};
	return RUN_TESTS(tests);
}
