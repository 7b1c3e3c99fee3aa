// SPDX-License-Identifier: GPL-2.0-only
/* Which disks the capture kernel can reach: this machine's own. */
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdump/device.h"

/* Checks every block device that is, or is not, below /sys/devices/virtual; skips if there is none. */
static void check_all(bool is_virtual)
{
	DIR *dir = opendir("/sys/class/block");
	size_t count = 0;

	if (!dir)
		SKIP("no /sys is mounted");
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[PATH_MAX], real[PATH_MAX];
		snprintf(path, sizeof(path), "/sys/class/block/%s", entry->d_name);
		if (entry->d_name[0] == '.' || !realpath(path, real) ||
		    !strstr(real, "/virtual/") == is_virtual)
			continue;
		const char *why = device_unreachable(path);
		if (!why == is_virtual)
			fail_msg("%s: %s", real, why ? why : "is taken");
		count++;
	}
	closedir(dir);
	if (!count)
		SKIP("this machine has no such device");
}

static void test_virtual(void **state)
{
	(void)state;
	check_all(true);
}

static void test_hardware(void **state)
{
	(void)state;
	check_all(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a virtual block device, as zram and loop, cannot be reached", test_virtual),
		TEST("a disk with a driver can", test_hardware),
	};

	return RUN_TESTS(tests);
}
