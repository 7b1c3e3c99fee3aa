// SPDX-License-Identifier: GPL-2.0-only
/* Which disks the capture kernel can reach: this machine's own. */
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdump/btrfs.h"
#include "kdump/device.h"
#include "make_root.h"

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

static void assert_options(const char *fs_type, const char *options, const char *wanted)
{
	char found[DEVICE_OPTIONS_SIZE];
	struct error *err = device_mount_options(fs_type, options, found);

	if (err)
		fail_msg("%s", err->message);
	assert_string_equal(found, wanted);
}

static void test_options(void **state)
{
	(void)state;
	assert_options("ext4", "rw,errors=remount-ro", "");
	assert_options("xfs", "rw,attr2,logbufs=8,noquota", "");
	assert_options("btrfs", "rw,space_cache=v2,subvolid=256,subvol=/@crash", "subvolid=5");
	assert_options("vfat",
		       "rw,fmask=0077,dmask=0077,codepage=437,iocharset=ascii,shortname=mixed,utf8",
		       "codepage=437,iocharset=ascii");
}

static void test_elsewhere(void **state)
{
	char found[DEVICE_OPTIONS_SIZE];

	(void)state;
	struct error *err = device_mount_options("xfs", "rw,logdev=/dev/sdb1,noquota", found);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "another device (logdev=/dev/sdb1)"));
	error_destroy(err);
}

static void test_open(void **state)
{
	(void)state;
	assert_true(device_is_open_to_all("vfat", "rw,fmask=0022,dmask=0022,codepage=437"));
	assert_false(device_is_open_to_all("vfat", "rw,fmask=0077,dmask=0077,codepage=437"));
	assert_false(device_is_open_to_all("vfat", "rw,fmask=0022,dmask=0077,codepage=437"));
	assert_false(device_is_open_to_all("vfat", "rw,fmask=0177,dmask=0022"));
	assert_false(device_is_open_to_all("ext4", "rw"));
}

static void test_btrfs(void **state)
{
	struct made_root *root = *state;
	char device[BTRFS_DEVICE_SIZE], folder[128];

	make_root_text(root, "/devices/nvme0n1p2", "");
	snprintf(folder, sizeof(folder), "%s/devices", root->path);
	assert_null(btrfs_only_device(folder, device));
	assert_string_equal(device, "nvme0n1p2");
	make_root_text(root, "/devices/sda1", "");
	struct error *err = btrfs_only_device(folder, device);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "on 2 devices"));
	error_destroy(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a virtual block device, as zram and loop, cannot be reached", test_virtual),
		TEST("a disk with a driver can", test_hardware),
		TEST("the capture kernel mounts it with what it needs of the rig's options",
		     test_options),
		TEST("a file system with a part on another device is refused", test_elsewhere),
		TEST("a vfat that is not mounted for root alone is open to all", test_open),
		TEST_WITH("a btrfs is on one device, or refused", test_btrfs, make_root_setup,
			  make_root_teardown),
	};

	return RUN_TESTS(tests);
}
