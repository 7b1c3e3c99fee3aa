// SPDX-License-Identifier: GPL-2.0-only
/* What a store has, in short; and that a hostile one does no harm. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/incidents.h"
#include "make_dump.h"
#include "make_record.h"
#include "make_store.h"

static int setup(void **state)
{
	return make_store(state);
}

static struct incidents *read_store(const struct store *store)
{
	struct incidents *incidents = calloc(1, sizeof(*incidents));

	assert_no_error(incidents_read(store->path, incidents));
	return incidents;
}

static void free_incidents(struct incidents *incidents)
{
	incidents_deinit(incidents);
	free(incidents);
}

/* The only one. */
static const struct incident_summary *only(const struct store *store, struct incidents **ret)
{
	*ret = read_store(store);
	assert_int_equal((*ret)->list.count, 1);
	return &(*ret)->list.data[0];
}

#define A "20260101T000000Z-0123abcd"
#define B "20260101T000001Z-0123abcd"

static void test_whole(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;

	store_add(store, A, "vmcore", "dump");
	store_add_manifest(
		store, A,
		"\"kernel\": \"6.1.0-13-amd64\", \"report\": {\"title\": \"BUG: x\", \"kind\":"
		"\"busy-loop\", \"signature\": \"busy-loop-1\", \"summary\": \"CPU 1\"},"
		"\"trigger\": {\"by\": \"sysrq\", \"reason\": \"stuck\"},"
		"\"files\": [{\"name\": \"vmcore\", \"size\": 4}], \"complete\": true");
	const struct incident_summary *one = only(store, &incidents);
	assert_string_equal(one->id, A);
	assert_int_equal(one->onset_s, 1767225600);
	assert_string_equal(one->kernel, "6.1.0-13-amd64");
	assert_string_equal(one->kind, "busy-loop");
	assert_string_equal(one->title, "BUG: x");
	assert_string_equal(one->signature, "busy-loop-1");
	assert_string_equal(one->summary, "CPU 1");
	assert_string_equal(one->trigger_by, "sysrq");
	assert_string_equal(one->reason, "stuck");
	assert_int_equal(one->dump, DUMP_PRESENT);
	assert_int_equal(one->dump_size, 4);
	assert_true(one->size >= 8192 && one->size < 100000);
	assert_true(one->has_manifest && one->complete);
	assert_false(one->unfinished || one->kept || one->harvested || one->drill);
	free_incidents(incidents);
}

static void test_without_manifest(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;

	store_add(store, A, "rig.json", "{\"schema\": \"lockdump.rig/1\", \"release\": \"6.1\"}");
	store_add(store, A, "vmcore.incomplete", "half");
	store_add(store, A, "keep", "");
	const struct incident_summary *one = only(store, &incidents);
	assert_string_equal(one->kernel, "6.1");
	assert_null(one->title);
	assert_int_equal(one->dump, DUMP_INCOMPLETE);
	assert_true(one->unfinished && one->kept);
	assert_false(one->complete || one->has_manifest);
	free_incidents(incidents);
	store_add(store, A, "report.json",
		  "{\"title\": \"BUG: y\", \"kernel\": {\"release\": \"6.12\"}, \"cpus\": [");
	one = only(store, &incidents);
	assert_string_equal(one->kernel, "6.12");
	assert_string_equal(one->title, "BUG: y");
	free_incidents(incidents);
}

static enum dump_state state_with(struct store *store, const char *id, const char *manifest)
{
	store_add_manifest(store, id, manifest);
	struct incidents *incidents = read_store(store);
	const struct incident_summary *last = &incidents->list.data[incidents->list.count - 1];
	assert_string_equal(last->id, id);
	assert_int_equal(last->complete, last->dump != DUMP_MISSING && !last->unfinished);
	enum dump_state ret = last->dump;
	free_incidents(incidents);
	return ret;
}

#define LISTS_VMCORE "\"complete\": true, \"files\": [{\"name\": \"vmcore\", \"size\": 5}]"

static void test_dump_states(void **state)
{
	struct store *store = *state;

	assert_int_equal(state_with(store, A, "\"complete\": true, \"files\": []"), DUMP_NONE);
	assert_int_equal(state_with(store, A, LISTS_VMCORE), DUMP_MISSING);
	store_add(store, A, "vmcore", "shor");
	assert_int_equal(state_with(store, A, LISTS_VMCORE), DUMP_INCOMPLETE);
	store_add(store, A, "vmcore", "whole");
	assert_int_equal(state_with(store, A, LISTS_VMCORE), DUMP_PRESENT);
	store_add(store, B, "vmcore.incomplete", "shor");
	assert_int_equal(state_with(store, B, "\"complete\": true"), DUMP_INCOMPLETE);
}

#define LISTS_AGE "\"complete\": true, \"files\": [{\"name\": \"vmcore.age\", \"size\": 5}]"

static bool encrypted(struct store *store)
{
	struct incidents *incidents = read_store(store);
	bool ret = incidents->list.data[incidents->list.count - 1].encrypted;

	free_incidents(incidents);
	return ret;
}

static void test_encrypted(void **state)
{
	struct store *store = *state;

	assert_int_equal(state_with(store, A, LISTS_AGE), DUMP_MISSING);
	store_add(store, A, "vmcore.age", "shor");
	assert_int_equal(state_with(store, A, LISTS_AGE), DUMP_INCOMPLETE);
	store_add(store, A, "vmcore.age", "whole");
	assert_int_equal(state_with(store, A, LISTS_AGE), DUMP_PRESENT);
	assert_true(encrypted(store));
	/* Another name that only begins so is no dump. */
	store_add(store, B, "vmcore.agent", "x");
	assert_int_equal(state_with(store, B, "\"complete\": true"), DUMP_NONE);
	assert_false(encrypted(store));
	store_add(store, B, "vmcore.age.incomplete", "shor");
	assert_int_equal(state_with(store, B, "\"complete\": true"), DUMP_INCOMPLETE);
	assert_true(encrypted(store));
	/* One that is there counts before one that is gone. */
	assert_int_equal(state_with(store, B, LISTS_VMCORE), DUMP_INCOMPLETE);
	assert_true(encrypted(store));
	store_add(store, B, "vmcore", "whole");
	assert_int_equal(state_with(store, B, "\"complete\": true"), DUMP_PRESENT);
	assert_false(encrypted(store));
}

/* As a harvest leaves it that is interrupted. */
static void test_staged(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;

	store_add_manifest(store, A, "\"complete\": true");
	store_add(store, A, "manifest.json.incomplete", "{");
	store_add(store, A, "harvested.json.incomplete", "");
	store_add(store, A, "keep.incomplete", "");
	assert_true(only(store, &incidents)->complete);
	free_incidents(incidents);
	store_add(store, A, "report.json.incomplete", "");
	assert_false(only(store, &incidents)->complete);
	free_incidents(incidents);
}

static void test_order(void **state)
{
	static const char *const ids[] = { A, A "-2", A "-9", A "-10", B };
	struct store *store = *state;

	for (size_t i = 0; i < 5; i++)
		store_add(store, ids[(i * 3) % 5], "dmesg.txt", "");
	struct incidents *incidents = read_store(store);
	assert_int_equal(incidents->list.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(incidents->list.data[i].id, ids[i]);
	free_incidents(incidents);
}

static void test_hostile(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;
	char path[128];

	store_add(store, A, "dmesg.txt", "");
	snprintf(path, sizeof(path), "%s/" B, store->path);
	assert_int_equal(symlink(A, path), 0);
	snprintf(path, sizeof(path), "%s/20260101T000002Z-0123abcd", store->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/\x1b[2J", store->path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" A "/manifest.json", store->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/" A "/report.json", store->path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/" A "/rig.json", store->path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" A "/vmcore", store->path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	snprintf(path, sizeof(path), "%s/" A "/keep", store->path);
	assert_int_equal(symlink("/nowhere", path), 0);
	const struct incident_summary *one = only(store, &incidents);
	assert_int_equal(one->dump, DUMP_NONE);
	assert_true(one->unfinished && one->kept);
	assert_null(one->kernel);
	assert_int_equal(incidents->unreadable, 0);
	free_incidents(incidents);
}

/* A folder that is a link would lead out of the store, and tell what is there, or hang. */
static void test_linked_folder(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;
	char path[128];

	store_add_manifest(
		store, A,
		"\"complete\": true, \"files\": [{\"name\": \"facts/maps\", \"size\": 0}]");
	snprintf(path, sizeof(path), "%s/" A "/facts", store->path);
	assert_int_equal(symlink("/proc/self", path), 0);
	const struct incident_summary *one = only(store, &incidents);
	assert_true(one->unfinished);
	free_incidents(incidents);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/maps");
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_true(only(store, &incidents)->complete);
	free_incidents(incidents);
}

static void test_sparse(void **state)
{
	struct store *store = *state;
	struct incidents *incidents;
	char path[128];

	store_add(store, A, "vmcore", "");
	snprintf(path, sizeof(path), "%s/" A "/vmcore", store->path);
	assert_int_equal(truncate(path, 1LL << 40), 0);
	const struct incident_summary *one = only(store, &incidents);
	assert_true(one->size < 1 << 20);
	assert_int_equal(one->dump_size, 1LL << 40);
	free_incidents(incidents);
}

static void test_record(void **state)
{
	struct store *store = *state;
	struct record_header header = { .fired_by = RECORD_FIRED_SYSRQ }, back;
	struct incident incident;

	make_record_header(&header, 1);
	memset(header.fired_reason, 'x', sizeof(header.fired_reason));
	assert_no_error(incident_make(store->path, A, &incident));
	assert_false(incident_record_header(&incident, &back));
	assert_no_error(incident_write(&incident, "record.bin", &header, sizeof(header) - 1));
	assert_false(incident_record_header(&incident, &back));
	assert_no_error(incident_write(&incident, "record.bin", &header, sizeof(header)));
	assert_true(incident_record_header(&incident, &back));
	assert_int_equal(strlen(back.fired_reason), sizeof(back.fired_reason) - 1);
	incident_close(&incident);
}

static void test_no_store(void **state)
{
	struct incidents incidents;

	(void)state;
	assert_error(incidents_read("/nowhere", &incidents), ERROR_SYSTEM, "/nowhere");
}

int main(void)
{
#define INCIDENTS_TEST(sentence, function)                    \
	{                                                     \
		sentence, function, setup, remove_store, NULL \
	}
	const struct CMUnitTest tests[] = {
		INCIDENTS_TEST("a whole incident is told by its manifest", test_whole),
		INCIDENTS_TEST(
			"without a manifest the report and the rig tell, and it is unfinished",
			test_without_manifest),
		INCIDENTS_TEST("a dump is present, incomplete, missing, or there was none",
			       test_dump_states),
		INCIDENTS_TEST("an encrypted dump is a dump", test_encrypted),
		INCIDENTS_TEST(
			"a manifest or mark that is being replaced makes no incident unfinished",
			test_staged),
		INCIDENTS_TEST("they are sorted by time, then by clash", test_order),
		INCIDENTS_TEST("links, FIFOs and folders in the place of files are passed over",
			       test_hostile),
		INCIDENTS_TEST("no link is followed to a file that the manifest lists",
			       test_linked_folder),
		INCIDENTS_TEST("a sparse file is as large as the disk knows it", test_sparse),
		INCIDENTS_TEST("a record's header is checked, and its texts end", test_record),
		INCIDENTS_TEST("a store that is not there is named", test_no_store),
	};

	return RUN_TESTS(tests);
}
