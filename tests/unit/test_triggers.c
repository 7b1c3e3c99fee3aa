// SPDX-License-Identifier: GPL-2.0-only
/* How often lockdump has crashed the machine, and that it stops when that is enough. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/budget.h"
#include "capture/clock.h"
#include "kdump/rig_id.h"
#include "kdump/store.h"
#include "kdump/triggers.h"
#include "make_dump.h"
#include "make_record.h"

#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"
#define ONSET	1767225600 /* 2026-01-01 00:00:00 UTC */
#define DAY	86400

struct fixture {
	char store[64];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->store, "/tmp/lockdump-test.XXXXXX");
	*state = fixture;
	return mkdtemp(fixture->store) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->store);
	int ret = system(command);
	free(fixture);
	return ret;
}

/* An incident with the file @name. */
static void add(const struct fixture *fixture, const char *name, const void *data, size_t size)
{
	struct incident incident;

	assert_no_error(incident_create(fixture->store, ONSET, BOOT_ID, &incident));
	assert_no_error(incident_write(&incident, name, data, size));
	incident_close(&incident);
}

static void add_manifest(const struct fixture *fixture, const char *format, double when)
{
	char text[256];

	snprintf(text, sizeof(text), format, when);
	add(fixture, "manifest.json", text, strlen(text));
}

#define SCHEMA	     "{\"schema\": \"lockdump.manifest/1\", "
#define MANIFEST(by) SCHEMA "\"times\": {\"trigger\": %f}, \"trigger\": {\"by\": " by "}}"

static unsigned int count(const struct fixture *fixture, double since_s)
{
	unsigned int triggers;

	assert_no_error(triggers_count(fixture->store, since_s, &triggers));
	return triggers;
}

static void test_manifests(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(count(fixture, 0), 0);
	add_manifest(fixture, MANIFEST("\"sysrq\""), ONSET);
	add_manifest(fixture, MANIFEST("\"kernel\""), ONSET + DAY);
	add_manifest(fixture, MANIFEST("\"panic\""), ONSET + DAY);
	add_manifest(fixture, MANIFEST("null"), ONSET + DAY);
	add_manifest(fixture, MANIFEST("\"kernel\"}, \"drill\": true, \"x\": {\"y\": 1"),
		     ONSET + DAY);
	assert_int_equal(count(fixture, ONSET), 2);
	assert_int_equal(count(fixture, ONSET + 1), 1);
	assert_int_equal(count(fixture, ONSET + DAY + 1), 0);
	add_manifest(
		fixture,
		"{\"times\": {\"trigger\": %f}, \"trigger\": {\"by\": \"sysrq\"}, \"drill\": true}",
		ONSET + DAY);
	assert_int_equal(count(fixture, ONSET), 2);
}

static void test_damaged(void **state)
{
	const struct fixture *fixture = *state;
	char path[128];

	add_manifest(fixture, "", 0);
	add_manifest(fixture,
		     SCHEMA "\"times\": {\"trigger\": %f}, \"trigger\": {\"by\": \"sysrq\"", ONSET);
	add_manifest(fixture, "[%f]", ONSET);
	add_manifest(fixture, SCHEMA "\"times\": %f, \"trigger\": {\"by\": \"sysrq\"}}", ONSET);
	add_manifest(fixture, SCHEMA "\"times\": {\"trigger\": [%f]}, \"trigger\": {\"by\": 1}}",
		     ONSET);
	add_manifest(fixture,
		     SCHEMA "\"times\": {\"trigger\": null}, \"trigger\": {\"by\": \"sysrq\"}}", 0);
	snprintf(path, sizeof(path), "%s/lost+found", fixture->store);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(count(fixture, 0), 0);
	add_manifest(fixture, MANIFEST("\"sysrq\""), ONSET);
	assert_int_equal(count(fixture, 0), 1);
}

static void test_records(void **state)
{
	const struct fixture *fixture = *state;
	struct record_header header = {
		.anchor_realtime_ns = ONSET * NS_PER_SEC,
		.fired_ns = 5 * NS_PER_SEC,
	};

	make_record_header(&header, 1);
	add(fixture, "record.bin", &header, sizeof(header));
	assert_int_equal(count(fixture, ONSET), 0);
	header.fired_by = RECORD_FIRED_SYSRQ;
	add(fixture, "record.bin", &header, sizeof(header));
	add(fixture, "record.bin", &header, sizeof(header) - 1);
	header.abi++;
	add(fixture, "record.bin", &header, sizeof(header));
	assert_int_equal(count(fixture, ONSET + 5), 1);
	assert_int_equal(count(fixture, ONSET + 6), 0);
}

/* Else whoever may write to the store could keep the rig from ever triggering. */
static void test_others(void **state)
{
	const struct fixture *fixture = *state;
	char command[256];

	add_manifest(fixture, MANIFEST("\"sysrq\""), ONSET);
	add_manifest(fixture, MANIFEST("\"sysrq\""), ONSET);
	assert_int_equal(count(fixture, ONSET), 2);
	snprintf(command, sizeof(command), "chmod 777 %s/*-2", fixture->store);
	assert_int_equal(system(command), 0);
	assert_int_equal(count(fixture, ONSET), 1);
}

static void test_rigs(void **state)
{
	const struct fixture *fixture = *state;
	struct incident incident;

	assert_no_error(incident_create(fixture->store, ONSET, BOOT_ID, &incident));
	assert_false(rig_id_is_others("1234", &incident));
	assert_no_error(incident_write(&incident, "rig.json", "{\"rig\": \"5678\"}", 15));
	assert_true(rig_id_is_others("1234", &incident));
	assert_false(rig_id_is_others("5678", &incident));
	assert_false(rig_id_is_others("", &incident));
	incident_close(&incident);
}

static void test_said(void **state)
{
	char why[40];

	(void)state;
	assert_false(triggers_find_said("", why, sizeof(why)));
	assert_false(triggers_find_said("[    1.0] it " TRIGGERS_SAID "no\n", why, sizeof(why)));
	assert_true(triggers_find_said("[    1.0] " TRIGGERS_SAID "once\n"
				       "[    2.0] " TRIGGERS_SAID "twice\x1b\n[    3.0] end\n",
				       why, sizeof(why)));
	assert_string_equal(why, "twice?");
	assert_true(triggers_find_said("] " TRIGGERS_SAID, why, sizeof(why)));
	assert_string_equal(why, "");
	assert_true(triggers_find_said(
		"] " TRIGGERS_SAID "0123456789012345678901234567890123456789", why, sizeof(why)));
	assert_int_equal(strlen(why), sizeof(why) - 1);
}

static void test_no_store(void **state)
{
	unsigned int triggers;

	(void)state;
	assert_error(triggers_count("/nowhere", 0, &triggers), ERROR_SYSTEM, "/nowhere");
	assert_int_equal(triggers, 0);
}

/* A watch that may trigger once in two days. */
static void test_budget(void **state)
{
	struct fixture *fixture = *state;
	struct record_header *header = calloc(1, RECORD_SLOT_SIZE);
	struct watch_options options = {
		.store = fixture->store,
		.root = fixture->store,
		.max_triggers = { .count = 1, .days = 2 },
	};
	struct watch watch = {
		.options = &options,
		.recorder = { .record = header },
		.trigger = { .sysrq_fd = -1, .by_kernel = true },
	};
	double now = (double)clock_ns(CLOCK_REALTIME) / NS_PER_SEC;

	assert_no_error(shared_create(1, &watch.shared));
	add_manifest(fixture, MANIFEST("\"kernel\""), now - 3 * DAY);
	budget_check(&watch);
	assert_false(watch.shared->used_up);
	assert_int_equal(header->armed, RECORD_ARMED);

	add_manifest(fixture, MANIFEST("\"kernel\""), now - 1 * DAY);
	budget_check(&watch);
	assert_true(watch.shared->used_up);
	assert_int_equal(header->armed, RECORD_DISARMED);

	options.max_triggers.count = 2;
	budget_check(&watch);
	assert_false(watch.shared->used_up);
	assert_int_equal(header->armed, RECORD_ARMED);
	free(header);
}

static void test_disarmed(void **state)
{
	struct record_header *header = calloc(1, RECORD_SLOT_SIZE);
	const struct recorder recorder = { .record = header };

	(void)state;
	kernel_trigger_set(&recorder, true);
	assert_int_equal(header->armed, RECORD_ARMED);
	header->armed = RECORD_FIRING;
	kernel_trigger_set(&recorder, true);
	assert_int_equal(header->armed, RECORD_FIRING);
	/* That it fires to no effect brings it from there to ARMED only. */
	kernel_trigger_set(&recorder, false);
	assert_int_equal(header->armed, RECORD_DISARMED);
	free(header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a watch without a record says in the log why it triggers; the last line counts",
		  test_said, NULL, NULL, NULL },
		TEST_WITH(
			"incidents that sysrq or the kernel's trigger began are counted from a time on",
			test_manifests, setup, teardown),
		TEST_WITH("a damaged manifest is not counted, and hides no other", test_damaged,
			  setup, teardown),
		TEST_WITH("where the capture kernel left no manifest, the record tells",
			  test_records, setup, teardown),
		TEST_WITH("incidents that others may have written are not counted", test_others,
			  setup, teardown),
		TEST_WITH("an incident that names another machine is that one's", test_rigs, setup,
			  teardown),
		TEST_WITH("a store that is not there is named", test_no_store, setup, teardown),
		{ "the kernel's is disarmed though it is firing", test_disarmed, NULL, NULL, NULL },
		TEST_WITH("when they are used up nothing is armed, and later again", test_budget,
			  setup, teardown),
	};

	return RUN_TESTS(tests);
}
