// SPDX-License-Identifier: GPL-2.0-only
/* Which watchdogs the capture kernel is to feed. */
#include "test.h"

#include <stdio.h>

#include "kdump/watchdog.h"
#include "make_root.h"

static void add(const struct made_root *root, const char *name, const char *identity,
		const char *state, bool has_device)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/watchdog/%s/identity", name);
	make_root_text(root, path, identity);
	snprintf(path, sizeof(path), "/sys/class/watchdog/%s/state", name);
	make_root_text(root, path, state);
	snprintf(path, sizeof(path), "/sys/class/watchdog/%s/device/vendor", name);
	if (has_device)
		make_root_text(root, path, "0x8086\n");
}

static void test_running(void **state)
{
	const struct made_root *root = *state;
	struct strings drivers = { 0 }, identities = { 0 };

	add(root, "watchdog0", "i6300ESB timer\n", "active\n", true);
	add(root, "watchdog1", "iTCO_wdt\n", "inactive\n", true);
	add(root, "watchdog2", "Software Watchdog\n", "active\n", false);
	assert_null(watchdogs_find(root->path, false, &drivers, &identities));
	assert_int_equal(identities.count, 1);
	assert_string_equal(identities.items[0], "i6300ESB timer");
	strings_deinit(&drivers);
	strings_deinit(&identities);
}

static void test_without_device(void **state)
{
	const struct made_root *root = *state;
	struct strings drivers = { 0 }, identities = { 0 };

	add(root, "watchdog0", "W83627HF Watchdog\n", "active\n", false);
	make_root_text(root, "/proc/sys/kernel/osrelease", "6.1\n");
	make_root_text(root, "/proc/modules",
		       "softdog 16384 0 - Live 0x0\nw83627hf_wdt 16384 1 - Live 0x0\n");
	make_root_text(root, "/lib/modules/6.1/modules.dep",
		       "kernel/drivers/watchdog/softdog.ko:\n"
		       "kernel/drivers/watchdog/it87_wdt.ko.xz:\n"
		       "kernel/drivers/watchdog/w83627hf-wdt.ko.xz: kernel/drivers/base/x.ko.xz\n"
		       "kernel/fs/x.ko: kernel/drivers/watchdog/w83627hf-wdt.ko.xz\n");
	assert_null(watchdogs_find(root->path, false, &drivers, &identities));
	assert_int_equal(identities.count, 1);
	assert_string_equal(identities.items[0], "W83627HF Watchdog");
	assert_int_equal(drivers.count, 1);
	assert_string_equal(drivers.items[0], "w83627hf_wdt");
	strings_deinit(&drivers);
	strings_deinit(&identities);
}

static void test_none(void **state)
{
	const struct made_root *root = *state;
	struct strings drivers = { 0 }, identities = { 0 };

	assert_null(watchdogs_find(root->path, false, &drivers, &identities));
	assert_int_equal(identities.count + drivers.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("one that runs, and goes on without its kernel", test_running,
			  make_root_setup, make_root_teardown),
		TEST_WITH(
			"one that does not say whose device it is is one of the drivers that are loaded",
			test_without_device, make_root_setup, make_root_teardown),
		TEST_WITH("a machine without one has none", test_none, make_root_setup,
			  make_root_teardown),
	};

	return RUN_TESTS(tests);
}
