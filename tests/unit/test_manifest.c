// SPDX-License-Identifier: GPL-2.0-only
/* manifest.json */
#include "test.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/manifest_read.h"
#include "make_dump.h"

static void make_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The value at a path such as "dump.tries.0.level", as JSON text. */
static void assert_at(const char *json, const char *path, const char *wanted)
{
	struct json_object *root = json_tokener_parse(json), *at = root;
	char *copy = strdup(path), *rest = copy;

	assert_non_null(root);
	for (char *name; (name = strsep(&rest, "."));) {
		if (json_object_is_type(at, json_type_array))
			at = json_object_array_get_idx(at, atoi(name));
		else if (!json_object_object_get_ex(at, name, &at))
			fail_msg("%s: there is no %s", path, name);
	}
	assert_string_equal(json_object_to_json_string_ext(at, JSON_C_TO_STRING_NOSLASHESCAPE),
			    wanted);
	free(copy);
	json_object_put(root);
}

static char *print(const struct manifest *manifest, const struct manifest_files *files)
{
	struct json_object *json = manifest_to_json(manifest, files);
	char *text = strdup(json_object_to_json_string_ext(json, 0));

	json_object_put(json);
	return text;
}

static void test_whole(void **state)
{
	struct manifest_file file = { .name = (char *)"vmcore",
				      .size = 5000000000,
				      .sha256 = "0123" };
	struct manifest_files files = { .items = &file, .count = 1 };
	struct manifest manifest = {
		.id = "20260101T000000Z-0123abcd",
		.kernel = "6.1.0-13-cloud-amd64",
		.report = { .title = "BUG: soft lockup in f", .kind = "busy-loop" },
		.onset_s = 1767225600.25,
		.trigger_s = 1767225612,
		.capture_start_s = 1767225615.5,
		.report_done_s = 1767225616,
		.vmcore_done_s = 1767225620,
		.trigger_by = "sysrq",
		.trigger_reason = "no task switch for 12.0 s",
		.trigger_cpu = 0,
		.drill = true,
		.dump_level = 23,
		.compression = "lzo",
		.encrypted = true,
		.makedumpfile = "1.7.2",
		.proven = true,
		.reserved_kb = 196608,
		.peak_kb = 81000,
		.complete = true,
	};

	(void)state;
	manifest_add_step(&manifest, "vmcore", 2.4567, "done", NULL);
	manifest_add_try(&manifest, 31)->outcome = "not proven";
	manifest_add_try(&manifest, 23)->outcome = "done";
	char *json = print(&manifest, &files);
	assert_at(json, "schema", "\"lockdump.manifest/1\"");
	assert_at(json, "id", "\"20260101T000000Z-0123abcd\"");
	assert_at(json, "kernel", "\"6.1.0-13-cloud-amd64\"");
	assert_at(json, "report",
		  "{\"title\":\"BUG: soft lockup in f\",\"signature\":null,"
		  "\"kind\":\"busy-loop\",\"summary\":null}");
	assert_at(json, "times",
		  "{\"onset\":1767225600.250000,\"trigger\":1767225612.000000,"
		  "\"capture_start\":1767225615.500000,\"report_done\":1767225616.000000,"
		  "\"vmcore_done\":1767225620.000000}");
	assert_at(json, "trigger",
		  "{\"by\":\"sysrq\",\"reason\":\"no task switch for 12.0 s\",\"cpu\":0}");
	assert_at(
		json, "dump",
		"{\"level\":23,\"compression\":\"lzo\",\"makedumpfile\":\"1.7.2\",\"tries\":[{\"level\":31,"
		"\"outcome\":\"not proven\"},{\"level\":23,\"outcome\":\"done\"}],"
		"\"encrypted\":true,\"proven\":true}");
	assert_at(json, "memory", "{\"reserved_kb\":196608,\"peak_kb\":81000}");
	assert_at(json, "steps",
		  "[{\"name\":\"vmcore\",\"seconds\":2.456700,\"outcome\":\"done\","
		  "\"why\":null}]");
	assert_at(json, "files", "[{\"name\":\"vmcore\",\"size\":5000000000,\"sha256\":\"0123\"}]");
	assert_at(json, "drill", "true");
	assert_at(json, "complete", "true");
	free(json);
}

static void test_unknown(void **state)
{
	struct manifest manifest = { .trigger_cpu = -1 };
	struct manifest_files files = { 0 };

	(void)state;
	char *json = print(&manifest, &files);
	assert_at(json, "times",
		  "{\"onset\":null,\"trigger\":null,\"capture_start\":null,"
		  "\"report_done\":null,\"vmcore_done\":null}");
	assert_at(json, "trigger", "{\"by\":null,\"reason\":null,\"cpu\":null}");
	assert_at(json, "dump",
		  "{\"level\":null,\"compression\":null,\"makedumpfile\":null,\"tries\":[],"
		  "\"encrypted\":false,\"proven\":false}");
	assert_at(json, "memory", "{\"reserved_kb\":null,\"peak_kb\":null}");
	assert_at(json, "files", "[]");
	assert_at(json, "drill", "false");
	assert_at(json, "report", "null");
	assert_at(json, "complete", "false");
	free(json);
}

static void test_bad_text(void **state)
{
	struct manifest manifest = { .trigger_cpu = -1, .trigger_reason = "\xff\"\\\n\x01" };
	struct manifest_files files = { 0 };

	(void)state;
	char *json = print(&manifest, &files);
	assert_at(json, "trigger.reason", "\"?\\\"\\\\\\n\\u0001\"");
	free(json);
}

/* An incident in a folder of its own, with that manifest. */
static void with_manifest(const char *json, struct incident *ret)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX";

	assert_non_null(mkdtemp(folder));
	*ret = (struct incident){ .dirfd = open(folder, O_RDONLY | O_DIRECTORY), .id = "id" };
	if (json)
		make_file(ret->dirfd, "manifest.json", json);
}

static void remove_incident(struct incident *incident)
{
	char path[64], folder[64];

	unlinkat(incident->dirfd, "manifest.json", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", incident->dirfd);
	ssize_t length = readlink(path, folder, sizeof(folder) - 1);
	assert_true(length > 0);
	folder[length] = '\0';
	rmdir(folder);
	incident_close(incident);
}

static void test_read_back(void **state)
{
	struct manifest_file file = { .name = (char *)"onset/stat", .size = 5, .sha256 = "0123" };
	struct manifest_files files = { .items = &file, .count = 1 }, files_back;
	struct manifest written = {
		.id = "20260101T000000Z-0123abcd",
		.kernel = "6.1.0-13-cloud-amd64",
		.report = { .title = "t", .signature = "s", .kind = "k", .summary = "u" },
		.onset_s = 1767225600.25,
		.trigger_s = 1767225612,
		.capture_start_s = 1767225615.5,
		.report_done_s = 1767225616,
		.vmcore_done_s = 1767225620,
		.trigger_by = "kernel",
		.trigger_reason = "why",
		.trigger_cpu = 3,
		.dump_level = 23,
		.compression = "lzo",
		.encrypted = true,
		.proven = true,
		.reserved_kb = 196608,
		.peak_kb = 81000,
		.complete = true,
	}, back;
	struct incident incident;

	(void)state;
	manifest_add_step(&written, "vmcore", 2.5, "done", NULL);
	manifest_add_step(&written, "proof", 1, "timeout", "slow");
	manifest_add_try(&written, 31)->outcome = "not proven";
	manifest_add_try(&written, 23)->outcome = "done";
	char *json = print(&written, &files);
	with_manifest(json, &incident);
	free(json);
	assert_no_error(manifest_read(&incident, &back, &files_back));
	json = print(&written, &files);
	char *again = print(&back, &files_back);
	assert_string_equal(again, json);
	free(json);
	free(again);
	manifest_files_deinit(&files_back);
	remove_incident(&incident);
}

static void assert_unreadable(const char *json, enum error_class class, const char *text)
{
	struct manifest_files files;
	struct manifest manifest;
	struct incident incident;

	with_manifest(json, &incident);
	assert_error(manifest_read(&incident, &manifest, &files), class, text);
	remove_incident(&incident);
}

#define SCHEMA "{\"schema\": \"lockdump.manifest/1\""

static void test_unreadable(void **state)
{
	static const char *const names[] = { "../x", "/etc/passwd", "a/../b", "a/b/c", "",
					     ".x",   "a/",	    "..",     "a/.b" };
	char json[256];

	(void)state;
	assert_unreadable(NULL, ERROR_NOT_FOUND, "no manifest.json");
	assert_unreadable("", ERROR_CORRUPT, "no JSON");
	assert_unreadable("[]", ERROR_CORRUPT, "schema");
	assert_unreadable("{}", ERROR_CORRUPT, "schema");
	assert_unreadable(SCHEMA, ERROR_CORRUPT, "no JSON");
	assert_unreadable(SCHEMA "} x", ERROR_CORRUPT, "no JSON");
	assert_unreadable("{\"schema\": [\"lockdump.manifest/1\"]}", ERROR_CORRUPT, "schema");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(json, sizeof(json), SCHEMA ", \"files\": [{\"name\": \"%s\"}]}", names[i]);
		assert_unreadable(json, ERROR_CORRUPT, "a file's name");
	}
	assert_unreadable(SCHEMA ", \"files\": [1]}", ERROR_CORRUPT, "a file's name");
}

/* All that has a wrong type counts as unknown. */
static void test_wrong_types(void **state)
{
	struct manifest_files files;
	struct manifest manifest, unknown = { .trigger_cpu = -1 };
	struct incident incident;

	(void)state;
	with_manifest(SCHEMA
		      ", \"id\": 1, \"kernel\": [], \"times\": \"x\", \"trigger\": {\"by\": {},"
		      "\"cpu\": \"1\"}, \"dump\": {\"level\": 1e9, \"tries\": {}, \"proven\": 1},"
		      "\"memory\": {\"peak_kb\": -1}, \"steps\": 3, \"files\": {\"a\": 1},"
		      "\"complete\": \"true\", \"report\": [\"title\"]}",
		      &incident);
	assert_no_error(manifest_read(&incident, &manifest, &files));
	assert_memory_equal(&manifest, &unknown, sizeof(manifest));
	assert_int_equal(files.count, 0);
	remove_incident(&incident);
}

/* Such a crash would be no older than any limit, for ever, and its time is none that can be told. */
static void test_no_times(void **state)
{
	struct manifest manifest;
	struct incident incident;

	(void)state;
	with_manifest(
		SCHEMA
		", \"times\": {\"onset\": -1, \"trigger\": 1e300, \"capture_start\":"
		"9223372036854775807, \"report_done\": 253402300799, \"vmcore_done\": 1e999}}",
		&incident);
	assert_no_error(manifest_read(&incident, &manifest, NULL));
	assert_true(manifest.onset_s == 0 && manifest.trigger_s == 0 &&
		    manifest.capture_start_s == 0 && manifest.vmcore_done_s == 0);
	assert_true(manifest.report_done_s == 253402300799);
	remove_incident(&incident);
}

static void test_control_characters(void **state)
{
	struct manifest manifest;
	struct incident incident;

	(void)state;
	with_manifest(SCHEMA ", \"kernel\": \"6\\u001b[2J\", \"times\": {\"onset\": NaN},"
			     "\"steps\": [{\"name\": \"a\\nb\", \"outcome\": \"odd\"}, 1]}",
		      &incident);
	assert_no_error(manifest_read(&incident, &manifest, NULL));
	assert_string_equal(manifest.kernel, "6?[2J");
	assert_true(manifest.onset_s == 0);
	assert_string_equal(manifest.steps[0].name, "a?b");
	assert_string_equal(manifest.steps[0].outcome, "unknown");
	assert_int_equal(manifest.nr_steps, 2);
	remove_incident(&incident);
}

static void test_many_steps(void **state)
{
	struct manifest manifest = { 0 };

	(void)state;
	for (int i = 0; i < 2 * MANIFEST_MAX_STEPS; i++)
		manifest_add_step(&manifest, "step", 0, "failed", "why");
	assert_int_equal(manifest.nr_steps, MANIFEST_MAX_STEPS);
	for (unsigned int i = 0; i < 2 * MANIFEST_MAX_TRIES; i++)
		manifest_add_try(&manifest, i);
	assert_int_equal(manifest.nr_tries, MANIFEST_MAX_TRIES);
	assert_int_equal(manifest.tries[MANIFEST_MAX_TRIES - 1].level, 2 * MANIFEST_MAX_TRIES - 1);
}

static void test_list(void **state)
{
	static const char *const names[] = { "vmcore.incomplete", "report.txt", "dmesg.txt",
					     "manifest.json",	  ".hidden",	"keep",
					     "harvested.json" };
	char folder[] = "/tmp/lockdump-test.XXXXXX";
	struct incident incident = { .id = "id" };
	struct manifest_files files;

	(void)state;
	assert_non_null(mkdtemp(folder));
	incident.dirfd = open(folder, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < 7; i++)
		make_file(incident.dirfd, names[i], i == 2 ? "abc" : "");
	assert_int_equal(mkdirat(incident.dirfd, "folder", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", incident.dirfd, "link"), 0);
	assert_int_equal(mkfifoat(incident.dirfd, "pipe", 0600), 0);
	assert_null(manifest_list(&incident, &files));
	assert_int_equal(files.count, 2);
	assert_string_equal(files.items[0].name, "dmesg.txt");
	assert_int_equal(files.items[0].size, 3);
	/* FIPS 180-2's example, and that of nothing */
	assert_string_equal(files.items[0].sha256,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(files.items[1].name, "report.txt");
	assert_string_equal(files.items[1].sha256,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	manifest_files_deinit(&files);
	for (size_t i = 0; i < 7; i++)
		unlinkat(incident.dirfd, names[i], 0);
	unlinkat(incident.dirfd, "link", 0);
	unlinkat(incident.dirfd, "pipe", 0);
	unlinkat(incident.dirfd, "folder", AT_REMOVEDIR);
	close(incident.dirfd);
	rmdir(folder);
}

static void test_folders(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX";
	struct incident incident = { .id = "id" }, onset, deep;
	struct manifest_files files;

	(void)state;
	assert_non_null(mkdtemp(folder));
	incident.dirfd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_null(incident_open_folder(&incident, "onset", &onset));
	assert_null(incident_open_folder(&onset, "deep", &deep));
	make_file(incident.dirfd, "record.bin", "");
	make_file(onset.dirfd, "interrupts", "abc");
	make_file(onset.dirfd, "maps.incomplete", "");
	make_file(deep.dirfd, "file", "");
	assert_int_equal(symlinkat("/etc", onset.dirfd, "link.incomplete"), 0);
	assert_null(manifest_list(&incident, &files));
	assert_int_equal(files.count, 2);
	assert_string_equal(files.items[0].name, "onset/interrupts");
	assert_int_equal(files.items[0].size, 3);
	assert_string_equal(files.items[0].sha256,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(files.items[1].name, "record.bin");
	manifest_files_deinit(&files);
	incident_close(&deep);
	incident_close(&onset);
	incident_close(&incident);
	char command[64];
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a whole incident's manifest is as interface.md has it", test_whole),
		TEST("what is unknown is null, not left out", test_unknown),
		TEST("bytes out of a crashed kernel do not break the JSON", test_bad_text),
		TEST("what was written is read back", test_read_back),
		TEST("what is no manifest, and names that lead elsewhere, are refused",
		     test_unreadable),
		TEST("what has a wrong type is unknown", test_wrong_types),
		TEST("times that no clock can have said are unknown", test_no_times),
		TEST("text that is read cannot steer a terminal", test_control_characters),
		TEST("more steps than there is room for are dropped", test_many_steps),
		TEST("only finished files are listed, with their checksums", test_list),
		TEST("files in an incident's folder are listed with its name", test_folders),
	};

	return RUN_TESTS(tests);
}
