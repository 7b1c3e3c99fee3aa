// SPDX-License-Identifier: GPL-2.0-only
/* What one hook of a host leaves for the next. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kdump/begun.h"
#include "make_dump.h"
#include "make_root.h"

static const char state_file[] = BEGUN_FOLDER "/begun.json";

static void fill(struct capture *capture, struct findings *found)
{
	*found = (struct findings){
		.record_saved = true,
		.has_report = true,
		.content = { .tasks = 70,
			     .tasks_with_stack = 68,
			     .frames = 500,
			     .modules = 3,
			     .log_lines = 400,
			     .stacks_hash = 0xfffffffe,
			     .modules_hash = 2,
			     .log_hash = 3 },
	};
	*capture = (struct capture){
		.found = found,
		.incident = { .dirfd = 0, .id = "20261124T004446Z-0123abcd" },
		.store = "/kdumproot/var/crash",
		.host_dir = "/kdumproot/var/crash",
		.host_since = 1700000000,
		.lowest_kb = 12345,
		.manifest = { .id = "20261124T004446Z-0123abcd",
			      .kernel = "6.9",
			      .onset_s = 5,
			      .trigger_by = "sysrq",
			      .trigger_cpu = 1,
			      .drill = true,
			      .reserved_kb = 262144,
			      .complete = true },
	};
	manifest_add_step(&capture->manifest, "record", 0.5, "done", NULL);
	manifest_add_step(&capture->manifest, "report", 60, "timeout", "it took too long");
}

static void test_read_back(void **state)
{
	const struct made_root *root = *state;
	struct findings found, found_back = { 0 };
	struct capture capture, back = { .found = &found_back, .incident.dirfd = -1 };

	fill(&capture, &found);
	make_root_text(root, "/run/x", "");
	assert_false(begun_is_there(root->path));
	assert_no_error(begun_write(root->path, &capture));
	assert_true(begun_is_there(root->path));
	assert_no_error(begun_read(root->path, &back));
	assert_int_equal(back.incident.dirfd, -1);
	assert_string_equal(back.incident.id, capture.incident.id);
	assert_string_equal(back.store, capture.store);
	assert_string_equal(back.host_dir, capture.host_dir);
	assert_int_equal(back.host_since, capture.host_since);
	assert_int_equal(back.lowest_kb, capture.lowest_kb);
	assert_memory_equal(&found_back, &found, sizeof(found));
	assert_string_equal(back.manifest.id, capture.manifest.id);
	assert_string_equal(back.manifest.trigger_by, "sysrq");
	assert_int_equal(back.manifest.reserved_kb, 262144);
	assert_true(back.manifest.complete && back.manifest.drill);
	assert_int_equal(back.manifest.nr_steps, 2);
	assert_string_equal(back.manifest.steps[1].outcome, "timeout");
	assert_string_equal(back.manifest.steps[1].why, "it took too long");
}

static void test_no_incident(void **state)
{
	const struct made_root *root = *state;
	struct findings found, found_back = { 0 };
	struct capture capture, back = { .found = &found_back };

	fill(&capture, &found);
	capture.incident.dirfd = -1;
	make_root_text(root, "/run/x", "");
	assert_no_error(begun_write(root->path, &capture));
	assert_no_error(begun_read(root->path, &back));
	assert_string_equal(back.incident.id, "");
}

static void test_none(void **state)
{
	const struct made_root *root = *state;
	struct findings found = { 0 };
	struct capture capture = { .found = &found };

	assert_error(begun_read(root->path, &capture), ERROR_NOT_FOUND, "not there");
	make_root_text(root, state_file, "{\"schema\": \"lockdump.begun/9\"}");
	assert_error(begun_read(root->path, &capture), ERROR_CORRUPT, "not lockdump.begun/1");
	make_root_text(root, state_file, "{");
	struct error *err = begun_read(root->path, &capture);
	assert_non_null(err);
	error_destroy(err);
}

int main(void)
{
#define ROOT(sentence, function) TEST_WITH(sentence, function, make_root_setup, make_root_teardown)
	const struct CMUnitTest tests[] = {
		ROOT("what was begun is read back", test_read_back),
		ROOT("without an incident that is said", test_no_incident),
		ROOT("what is not there, or another's, is not believed", test_none),
	};

	return RUN_TESTS(tests);
}
