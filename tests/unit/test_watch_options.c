// SPDX-License-Identifier: GPL-2.0-only
/* The command line of 'lockdump watch'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/clock.h"
#include "capture/external.h"
#include "capture/options.h"

#define MAX_WORDS 32

/* Parses the words of @line. */
static struct error *parse(const char *line, struct watch_options *ret)
{
	static char copy[1024];
	char *argv[MAX_WORDS + 1] = { "watch" }, *rest;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return watch_options_parse(argc, argv, NULL, ret);
}

static struct watch_options accepted(const char *line)
{
	struct watch_options options;
	struct error *err = parse(line, &options);

	assert_null(err);
	return options;
}

static void refused(const char *line, const char *why)
{
	struct watch_options options;
	struct error *err = parse(line, &options);

	assert_non_null(err);
	if (!strstr(err->message, why))
		fail_msg("'%s' does not say '%s'", err->message, why);
	assert_null(strchr(err->message, '\n'));
	error_destroy(err);
}

static void test_defaults(void **state)
{
	struct watch_options options = accepted("");

	(void)state;
	assert_int_equal(options.threshold_ns, 10 * NS_PER_SEC);
	assert_int_equal(options.trigger_after_ns, 20 * NS_PER_SEC);
	assert_int_equal(options.trigger, RECORD_TRIGGER_OFF);
	assert_string_equal(options.store, "/var/crash");
	assert_false(options.print || options.once || options.help);
}

static void test_all(void **state)
{
	struct watch_options options = accepted(
		"--threshold 2.5 --trigger=sysrq --trigger-after 2.5 --store /s --print --once");

	(void)state;
	assert_int_equal(options.threshold_ns, 2500 * NS_PER_MS);
	assert_int_equal(options.trigger_after_ns, 2500 * NS_PER_MS);
	assert_int_equal(options.trigger, RECORD_TRIGGER_SYSRQ);
	assert_string_equal(options.store, "/s");
	assert_true(options.print && options.once);
}

static void test_thresholds(void **state)
{
	struct watch_options options = accepted("--threshold 3 --trigger-after 25");
	const uint64_t *ns = options.threshold_for.ns;

	(void)state;
	assert_int_equal(ns[RECORD_KIND_SOFT_LOCKUP], 3 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_HARD_LOCKUP], 3 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_NEED_RESCHED], 3 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_RCU_STALL], 21 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_HUNG_TASK], 0);
	ns = options.trigger_after_for.ns;
	assert_int_equal(ns[RECORD_KIND_SOFT_LOCKUP], 25 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_RCU_STALL], 25 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_WORKQUEUE_STALL], 30 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_HUNG_TASK], 0);

	options = accepted("--threshold-for rcu-stall=2.5,irq-storm=never "
			   "--threshold-for hard-lockup=7");
	ns = options.threshold_for.ns;
	assert_int_equal(ns[RECORD_KIND_RCU_STALL], 2500 * NS_PER_MS);
	assert_int_equal(ns[RECORD_KIND_IRQ_STORM], THRESHOLD_NEVER);
	assert_int_equal(ns[RECORD_KIND_SOFTIRQ_STORM], 10 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_HARD_LOCKUP], 7 * NS_PER_SEC);
	assert_int_equal(ns[RECORD_KIND_SOFT_LOCKUP], 10 * NS_PER_SEC);

	refused("--threshold-for rcu-stall", "not a number of seconds");
	refused("--threshold-for rcu-stall=", "rcu-stall: not a number of seconds");
	refused("--threshold-for rcu-stall=99999999999999999999999999999999999", "not a number");
	refused("--threshold-for soft-lockup=3", "'soft-lockup' is no kind that has a threshold");
	refused("--threshold-for nmi=3", "'nmi' is no kind");
	refused("--threshold-for rcu-stall=3,", "'' is no kind");
	refused("--trigger-on rcu-stall --threshold-for rcu-stall=never",
		"--trigger-on rcu-stall: --threshold-for says never");
}

static void test_trigger_follows(void **state)
{
	(void)state;
	assert_int_equal(accepted("--threshold 0.5").trigger_after_ns, 10500 * NS_PER_MS);
}

static void test_seconds(void **state)
{
	(void)state;
	assert_int_equal(accepted("--threshold 0.1").threshold_ns, 100 * NS_PER_MS);
	assert_int_equal(accepted("--threshold 86400 --trigger-after 86400").threshold_ns,
			 86400 * NS_PER_SEC);
	refused("--threshold 0.09", "from 0.1 to 86400");
	refused("--threshold 0", "from 0.1 to 86400");
	refused("--threshold -1", "from 0.1 to 86400");
	refused("--threshold 86401", "from 0.1 to 86400");
	refused("--threshold nan", "not a number");
	refused("--threshold inf", "not a number");
	refused("--threshold 5s", "not a number");
	refused("--trigger-after x", "not a number");
}

static void test_trigger_before_threshold(void **state)
{
	(void)state;
	refused("--threshold 5 --trigger-after 4.9", "must not be below the threshold");
	refused("--trigger-after 9", "must not be below the threshold");
}

static void test_modes(void **state)
{
	(void)state;
	assert_int_equal(accepted("--trigger off").trigger, RECORD_TRIGGER_OFF);
	assert_int_equal(accepted("--trigger kernel").trigger, RECORD_TRIGGER_KERNEL);
	assert_int_equal(accepted("--trigger auto").trigger, RECORD_TRIGGER_AUTO);
	refused("--trigger now", "no such mode");
}

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(accepted("").trigger_on.kinds,
			 1U << RECORD_KIND_SOFT_LOCKUP | 1U << RECORD_KIND_HARD_LOCKUP);
	assert_int_equal(accepted("").trigger_on.requests, 0);
	assert_int_equal(accepted("--trigger-on hard-lockup").trigger_on.kinds,
			 1U << RECORD_KIND_HARD_LOCKUP);
	struct trigger_on on = accepted("--trigger-on nmi,soft-lockup,pretimeout").trigger_on;
	assert_int_equal(on.kinds, 1U << RECORD_KIND_SOFT_LOCKUP);
	assert_int_equal(on.requests, EXTERNAL_NMI | EXTERNAL_PRETIMEOUT);
	refused("--trigger-on soft", "'soft' is no kind");
	refused("--trigger-on soft-lockups", "'soft-lockups' is no kind");
	refused("--trigger-on soft-lockup,", "'' is no kind");
	refused("--trigger-on nmi,,nmi", "'' is no kind");
}

static void test_max_triggers(void **state)
{
	struct watch_options options = accepted("");

	(void)state;
	assert_int_equal(options.max_triggers.count, 3);
	assert_int_equal(options.max_triggers.days, 1);
	options = accepted("--max-triggers 10/30");
	assert_int_equal(options.max_triggers.count, 10);
	assert_int_equal(options.max_triggers.days, 30);
	assert_int_equal(accepted("--max-triggers 2").max_triggers.days, 1);
	refused("--max-triggers 0/1", "not N/DAYS");
	refused("--max-triggers 1/0", "not N/DAYS");
	refused("--max-triggers 1/", "not N/DAYS");
	refused("--max-triggers /1", "not N/DAYS");
	refused("--max-triggers 1/1d", "not N/DAYS");
	refused("--max-triggers -1/1", "not N/DAYS");
	refused("--max-triggers 10001/1", "not N/DAYS");
	refused("--max-triggers 99999999999999999999/1", "not N/DAYS");
}

static void test_probes(void **state)
{
	struct watch_options options = accepted("--probe vfs_read --print --probe=foo.isra.0");
	char line[1024] = "", *end = line;

	(void)state;
	assert_int_equal(options.probes.count, 2);
	assert_string_equal(options.probes.names[0], "vfs_read");
	assert_string_equal(options.probes.names[1], "foo.isra.0");
	assert_int_equal(accepted("").probes.count, 0);
	refused("--probe a --probe b --probe a", "--probe a: given twice");
	refused("--probe vfs_read+4", "not the name of a kernel function");
	refused("--probe 4ever", "not the name of a kernel function");
	refused("--probe=", "not the name of a kernel function");
	refused("--probe a;b", "not the name of a kernel function");
	assert_int_equal(
		accepted("--probe a23456789_123456789_123456789_123456789_1234567").probes.count,
		1);
	refused("--probe a23456789_123456789_123456789_123456789_12345678",
		"at most 47 characters");
	for (int i = 0; i < RECORD_NR_PROBES; i++)
		end += sprintf(end, "--probe=f%d ", i);
	assert_int_equal(accepted(line).probes.count, RECORD_NR_PROBES);
	sprintf(end, "--probe=more");
	refused(line, "--probe more: too many: at most 16 functions");
}

static void test_unknown(void **state)
{
	(void)state;
	refused("--frob", "--frob");
	refused("-x", "-x");
	refused("--store", "--store: needs a value");
	refused("--print extra", "extra");
}

static void test_help(void **state)
{
	(void)state;
	assert_true(accepted("--help --frob").help);
}

#define test(name, function)                     \
	{                                        \
		name, function, NULL, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test("without options the defaults hold", test_defaults),
		test("each option is taken", test_all),
		test("the trigger comes 10 s after the threshold if nothing is said",
		     test_trigger_follows),
		test("each kind has a threshold of its own, if it is given one", test_thresholds),
		test("seconds have limits and may be fractions", test_seconds),
		test("a trigger before the threshold is refused", test_trigger_before_threshold),
		test("a trigger mode that there is not is refused by name", test_modes),
		test("what triggers is a list of kinds; one that there is not is refused by name",
		     test_kinds),
		test("how often it triggers is two numbers, the days one if they are missing",
		     test_max_triggers),
		test("functions to probe are named one by one, each once; what is no name is refused",
		     test_probes),
		test("what is no option is refused by name", test_unknown),
		test("--help wins over what follows", test_help),
	};

	return cmocka_run_group_tests_name("watch_options", tests, NULL, NULL);
}
