// SPDX-License-Identifier: GPL-2.0-only
/* Names in the BPF file system. The tests mount one where nobody else sees it, which takes root. */
#include "test.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/pin.h"
#include "make_bpffs.h"
#include "make_dump.h"

struct fixture {
	char bpffs[BPFFS_PATH_SIZE];
	char dir[96];
	struct pins pins;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	if (*fixture->bpffs)
		remove_bpffs(fixture->bpffs);
	free(fixture);
	return 0;
}

static void need_folder(struct fixture *fixture)
{
	make_bpffs_folder(fixture->bpffs);
	snprintf(fixture->dir, sizeof(fixture->dir), "%s/lockdump", fixture->bpffs);
	struct error *err = pins_open(fixture->bpffs, &fixture->pins);
	if (err) {
		print_message("%s\n", err->message);
		error_destroy(err);
		SKIP("no BPF file system can be mounted here");
	}
}

static void pin_by_fd(const struct fixture *fixture, int fd, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
}

static void test_mounted(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	need_folder(fixture);
	assert_string_equal(fixture->pins.dir, fixture->dir);
	assert_int_equal(stat(fixture->dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(stat(fixture->bpffs, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	/* And once more, with all there. */
	assert_no_error(pins_open(fixture->bpffs, &fixture->pins));
	pins_destroy(&fixture->pins);
	assert_int_equal(stat(fixture->dir, &st), -1);
}

static void test_names(void **state)
{
	struct fixture *fixture = *state;
	int map = make_bpf_map(8, 1);

	need_folder(fixture);
	assert_true(pin_get(&fixture->pins, "record") < 0);
	assert_int_equal(errno, ENOENT);
	pin_by_fd(fixture, map, "record");
	pin_by_fd(fixture, map, "hook-a");
	pin_by_fd(fixture, map, "hook-b");
	close(map);
	pin_remove_all(&fixture->pins, "hook-");
	assert_true(pin_get(&fixture->pins, "hook-a") < 0);
	assert_true(pin_get(&fixture->pins, "hook-b") < 0);
	int fd = pin_get(&fixture->pins, "record");
	assert_true(fd >= 0);
	close(fd);
	pins_destroy(&fixture->pins);
}

static void test_held(void **state)
{
	struct fixture *fixture = *state;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int map = make_bpf_map(8, 1);

	need_folder(fixture);
	pin_hold(&fixture->pins, "hook-");
	pin_by_fd(fixture, map, "hook-a");
	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &size), 0);
	pin_hold(&fixture->pins, "hook-");
	close(map);
	pins_destroy(&fixture->pins);
	/* Without anybody it is freed, if only a moment later. */
	usleep(200000);
	int again = bpf_map_get_fd_by_id(info.id);
	assert_true(again >= 0);
	close(again);
}

static void test_foreign(void **state)
{
	struct fixture *fixture = *state;

	need_folder(fixture);
	assert_int_equal(chmod(fixture->dir, 0755), 0);
	assert_error(pins_open(fixture->bpffs, &fixture->pins), ERROR_OTHER, "not to be trusted");
	assert_string_equal(fixture->pins.dir, "");
	assert_int_equal(chmod(fixture->dir, 0700), 0);
	assert_int_equal(chown(fixture->dir, 1234, -1), 0);
	assert_error(pins_open(fixture->bpffs, &fixture->pins), ERROR_OTHER, "user 1234");
}

static void test_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct pins *pins = &fixture->pins;

	assert_error(pins_open("/nowhere/bpf", pins), ERROR_SYSTEM,
		     "/nowhere/bpf: no BPF file system, and none can be mounted");
	assert_true(pin_get(pins, "record") < 0);
	pin_remove(pins, "record");
	pin_remove_all(pins, "");
	pins_destroy(pins);
}

#define PIN_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST("the BPF file system is mounted, and the folder made, both root's alone",
			 test_mounted),
		PIN_TEST("what was pinned is found by its name until that is removed", test_names),
		PIN_TEST("what is held stays, though its name is removed", test_held),
		PIN_TEST("a folder that is another's, or open to others, is refused", test_foreign),
		PIN_TEST("where there is no BPF file system the error says so, and nothing is done",
			 test_nothing),
	};

	return RUN_TESTS(tests);
}
