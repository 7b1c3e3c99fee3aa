// SPDX-License-Identifier: GPL-2.0-only
/* How a drill went, by what it left in the store. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kdump/drill.h"
#include "kdump/state_folder.h"
#include "make_root.h"

#define BEFORE "0123abcd-4567-89ab-cdef-0123456789ab"
#define AFTER  "ffffffff-4567-89ab-cdef-0123456789ab"

static double begin(const struct made_root *root)
{
	struct drill drill = { .boot_id = BEFORE, .release = "6.1.0-13" };

	snprintf(drill.store, sizeof(drill.store), "%s/store", root->path);
	make_root_text(root, "/store/lost+found", "");
	assert_null(drill_begin(root->path, &drill));
	return drill.time_s;
}

static void look(const struct made_root *root, const char *boot_id, struct drill *ret)
{
	assert_null(drill_look(root->path, boot_id, ret));
}

/* The id of an incident so long after @time_s. */
static const char *id(double time_s, int later_s)
{
	static char text[64];
	time_t at = time_s + later_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ-0123abcd", &tm);
	return text;
}

static void add(const struct made_root *root, const char *incident, const char *name,
		const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/store/%s/%s", incident, name);
	make_root_text(root, path, text);
}

static void add_manifest(const struct made_root *root, double time_s, const char *end)
{
	char text[1024];

	snprintf(
		text, sizeof(text),
		"{\"schema\": \"lockdump.manifest/1\", \"times\": {\"capture_start\": %f, \"report_done\": %f, \"vmcore_done\": %f}, "
		"\"memory\": {\"reserved_kb\": 196608, \"peak_kb\": 92000}, %s}",
		time_s + 4, time_s + 5.5, time_s + 10, end);
	add(root, id(time_s, 1), "manifest.json", text);
}

static void test_never(void **state)
{
	struct drill drill;

	look(*state, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_NEVER);
}

/* Whoever may write to the store is not to say that the rig is armed. */
static void test_others(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);
	char path[128];

	add_manifest(root, time_s,
		     "\"drill\": true, \"complete\": true, \"dump\": {\"proven\": true}");
	snprintf(path, sizeof(path), "/store/%s", id(time_s, 1));
	assert_int_equal(chmod(make_root_place(root, path), 0777), 0);
	look(root, AFTER, &drill);
	assert_int_not_equal(drill.outcome, DRILL_PASSED);
}

static void test_no_crash(void **state)
{
	struct drill drill;

	begin(*state);
	look(*state, BEFORE, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_non_null(strstr(drill.why, "did not"));
	drill_forget(((struct made_root *)*state)->path);
	look(*state, BEFORE, &drill);
	assert_int_equal(drill.outcome, DRILL_NEVER);
}

#define PASSED                                                                \
	"\"drill\": true, \"complete\": true, \"dump\": {\"proven\": true}, " \
	"\"steps\": [{\"name\": \"report\", \"seconds\": 0.5, \"outcome\": \"done\", \"why\": null}]"

static void assert_passed(const struct drill *drill)
{
	assert_int_equal(drill->outcome, DRILL_PASSED);
	assert_string_equal(drill->why, "");
	assert_string_equal(drill->release, "6.1.0-13");
	assert_int_equal(drill->reserved_kb, 196608);
	assert_int_equal(drill->peak_kb, 92000);
	assert_float_equal(drill->report_s, 1.5, 1e-3);
	assert_float_equal(drill->total_s, 10, 1e-3);
	assert_int_equal(drill->nr_steps, 1);
	assert_string_equal(drill->steps[0].name, "report");
	assert_string_equal(drill->steps[0].outcome, "done");
	assert_float_equal(drill->steps[0].seconds, 0.5, 1e-6);
}

static void test_passed(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);
	char path[128];

	add_manifest(root, time_s, PASSED);
	look(root, AFTER, &drill);
	assert_passed(&drill);
	assert_string_equal(drill.incident, id(time_s, 1));

	/* It stays passed when the incident is gone. */
	snprintf(path, sizeof(path), "/store/%s/manifest.json", id(time_s, 1));
	make_root_unlink(root, path);
	look(root, AFTER, &drill);
	assert_passed(&drill);
}

static void test_failed(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);

	add_manifest(
		root, time_s,
		"\"drill\": true, \"complete\": false, \"dump\": {\"proven\": false}, "
		"\"steps\": [{\"name\": \"record\", \"seconds\": 0, \"outcome\": \"skipped\"}, "
		"{\"name\": \"vmcore\", \"seconds\": 3, \"outcome\": \"timeout\", "
		"\"why\": \"killed after 3 s\"}]");
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_string_equal(drill.why, "vmcore: timeout: killed after 3 s");
}

static void test_not_proven(void **state)
{
	struct made_root *root = *state;
	struct drill drill;

	add_manifest(root, begin(root), "\"complete\": true, \"dump\": {\"proven\": false}");
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_string_equal(drill.why, "the vmcore was not proven");
}

static void test_incomplete(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);

	add(root, id(time_s, -3600), "record.bin", "a stall of that boot, an hour before");
	add(root, id(time_s, 2), "vmcore.incomplete", "");
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_string_equal(drill.incident, id(time_s, 2));
	assert_non_null(strstr(drill.why, "no manifest"));
}

/* A stall just before, whose incident the watch has closed: it has a manifest, too. */
static void test_stall_before(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);

	add(root, id(time_s, -20), "manifest.json",
	    "{\"schema\": \"lockdump.manifest/1\", \"complete\": true}");
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_non_null(strstr(drill.why, "no incident"));
	add(root, id(time_s, -10), "vmcore.incomplete", "");
	add_manifest(root, time_s, PASSED);
	look(root, AFTER, &drill);
	assert_passed(&drill);
}

static void test_no_incident(void **state)
{
	struct made_root *root = *state;
	struct drill drill;
	double time_s = begin(root);

	add(root, id(time_s, -3600), "manifest.json",
	    "{\"schema\": \"lockdump.manifest/1\", \"complete\": true}");
	add(root, "20991231T235959Z-ffffffff", "manifest.json",
	    "{\"schema\": \"lockdump.manifest/1\", " PASSED "}"); /* another boot's */
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_FAILED);
	assert_string_equal(drill.incident, "");
	assert_non_null(strstr(drill.why, "no incident"));
}

static void test_no_store(void **state)
{
	struct made_root *root = *state;
	struct drill drill;

	begin(root);
	make_root_unlink(root, "/store/lost+found");
	assert_int_equal(remove(make_root_place(root, "/store")), 0);
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_UNKNOWN);
	assert_non_null(strstr(drill.why, "No such file"));
}

/* An empty folder, where a disk is to be mounted. */
static void test_other_store(void **state)
{
	struct made_root *root = *state;
	struct drill drill = { .boot_id = BEFORE, .store_uuid = "no-such-uuid" };

	make_root_text(root, "/store/lost+found", "");
	snprintf(drill.store, sizeof(drill.store), "%s/store", root->path);
	assert_null(drill_begin(root->path, &drill));
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_UNKNOWN);
	assert_non_null(strstr(drill.why, "/store"));
	add_manifest(root, drill.time_s, PASSED);
	look(root, AFTER, &drill);
	assert_int_equal(drill.outcome, DRILL_PASSED);
}

static void test_damaged(void **state)
{
	struct made_root *root = *state;
	struct drill drill;

	begin(root);
	make_root_text(root, STATE_FOLDER "/drill.json", "{\"drill\": ");
	struct error *err = drill_look(root->path, AFTER, &drill);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "drill.json"));
	error_destroy(err);
}

#define ROOT_TEST(sentence, function) \
	TEST_WITH(sentence, function, make_root_setup, make_root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST("without a note there was never a drill", test_never),
		ROOT_TEST("a machine that has not crashed has failed its drill", test_no_crash),
		ROOT_TEST("a complete and proven incident is a passed drill, and stays one",
			  test_passed),
		ROOT_TEST("one that others may have written is none", test_others),
		ROOT_TEST("the first step that failed is why a drill failed", test_failed),
		ROOT_TEST("so is a vmcore that was not proven", test_not_proven),
		ROOT_TEST("and an incident without a manifest", test_incomplete),
		ROOT_TEST("an incident of just before is not taken for it", test_stall_before),
		ROOT_TEST("and none at all; others' and earlier ones are not taken for it",
			  test_no_incident),
		ROOT_TEST("without the store it cannot be told", test_no_store),
		ROOT_TEST("nor in another than it was, unless the incident is there",
			  test_other_store),
		ROOT_TEST("a damaged note is an error", test_damaged),
	};

	return RUN_TESTS(tests);
}
