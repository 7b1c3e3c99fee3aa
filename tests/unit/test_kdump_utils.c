// SPDX-License-Identifier: GPL-2.0-only
/* Fedora's kdump-utils as a host: its files, what its dump is like, and whether lockdump's store is where it can be reached. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kdump/hosted.h"
#include "kdump/kdump_conf.h"
#include "kdump/kdump_utils.h"
#include "make_dump.h"
#include "make_root.h"

#define SYSCONFIG "/etc/sysconfig/kdump"

static struct host_settings read_all(const struct made_root *root, const char *conf)
{
	struct host_settings settings;

	make_root_text(root, KDUMP_CONF_FILE, conf);
	make_root_text(root, "/proc/self/mounts", "/dev/vda / ext4 rw 0 0\n");
	assert_no_error(kdump_utils.read(root->path, &settings));
	return settings;
}

static void test_defaults(void **state)
{
	struct host_settings settings = read_all(*state, "");

	assert_true(settings.enabled);
	assert_string_equal(settings.dir, "/var/crash");
	assert_string_equal(settings.remote, "");
	assert_int_equal(settings.dump_level, 31);
	assert_string_equal(settings.compression, "lzo");
	assert_string_equal(settings.kernel, "");
	assert_string_equal(settings.initrd, "");
}

static void set_time(const struct made_root *root, const char *path, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(AT_FDCWD, make_root_place(root, path), times, 0), 0);
}

static void test_files(void **state)
{
	struct made_root *root = *state;

	make_root_text(root, SYSCONFIG,
		       "# a script\nKDUMP_KERNELVER=\"6.9-1\"\nKEXEC_ARGS=\"-s\"\n");
	make_root_text(root, "/boot/vmlinuz-6.9-1", "x");
	make_root_text(root, "/boot/initramfs-6.9-1kdump.img", "x");
	struct host_settings settings = read_all(root, "");
	assert_string_equal(settings.kernel, "/boot/vmlinuz-6.9-1");
	assert_string_equal(settings.initrd, "/boot/initramfs-6.9-1kdump.img");

	/* Where kdumpctl puts it if it cannot write to /boot; the older one was made when it could. */
	make_root_text(root, "/var/lib/kdump/initramfs-6.9-1kdump.img", "x");
	set_time(root, "/boot/initramfs-6.9-1kdump.img", 1000);
	settings = read_all(root, "");
	assert_string_equal(settings.initrd, "/var/lib/kdump/initramfs-6.9-1kdump.img");
}

/* The boot loader's own names for them. */
static void test_loader_files(void **state)
{
	struct made_root *root = *state;

	make_root_text(root, SYSCONFIG, "KDUMP_KERNELVER=6.9-1\nKDUMP_BOOTDIR=/efi\n");
	make_root_text(root, "/etc/machine-id", "0123\n");
	make_root_text(root, "/boot/vmlinuz-6.9-1", "another's");
	make_root_text(root, "/efi/0123/6.9-1/vmlinuz", "x");
	make_root_text(root, "/efi/0123/6.9-1/initrdkdump", "x");
	struct host_settings settings = read_all(root, "");
	assert_string_equal(settings.kernel, "/efi/0123/6.9-1/vmlinuz");
	assert_string_equal(settings.initrd, "/efi/0123/6.9-1/initrdkdump");
}

static void test_core_collector(void **state)
{
	struct host_settings settings =
		read_all(*state, "core_collector makedumpfile -F -z -d 17\n");

	assert_int_equal(settings.dump_level, 17);
	assert_string_equal(settings.compression, "zstd");
	settings = read_all(*state, "core_collector cp --sparse=always -d 5\n");
	assert_int_equal(settings.dump_level, 0);
	assert_string_equal(settings.compression, "none");
}

static void test_remote(void **state)
{
	struct host_settings settings = read_all(*state, "ssh me@host\n");

	assert_string_equal(settings.remote, "ssh me@host:/var/crash");
	/* Whatever the store is. */
	strcpy(settings.kernel, "/k");
	assert_no_error(kdump_utils.check(&settings, "/nowhere"));
}

static void test_store(void **state)
{
	struct made_root *root = *state;
	struct host_settings settings = { .kernel = "/k" };
	char other[64];

	make_root_text(root, "/crash/x", "");
	make_root_text(root, "/other/x", "");
	snprintf(settings.dir, sizeof(settings.dir), "%s/crash", root->path);
	snprintf(other, sizeof(other), "%s/other", root->path);
	assert_no_error(kdump_utils.check(&settings, settings.dir));
	assert_null(kdump_utils.conflict(&settings, settings.dir));
	assert_error(kdump_utils.check(&settings, other), ERROR_OTHER, "mounts but the place");
	assert_error(kdump_utils.check(&settings, "/nowhere"), ERROR_OTHER, "mounts but the place");
	settings.kernel[0] = '\0';
	assert_error(kdump_utils.check(&settings, settings.dir), ERROR_NOT_FOUND, SYSCONFIG);
}

/* "127.0.0.1-2026-11-24-00:44:46", or the address that a server knows it by; the name has colons. */
static void test_dump(void **state)
{
	static const char dump[] = "/crash/127.0.0.1-2026-11-24-00:44:46/vmcore";
	struct made_root *root = *state;
	char dir[64], path[PATH_MAX];
	time_t now = time(NULL);

	snprintf(dir, sizeof(dir), "%s/crash", root->path);
	make_root_text(root, "/crash/127.0.0.1-2026-11-24-00:44:46/vmcore-dmesg.txt", "x");
	make_root_text(root, "/crash/127.0.0.1-2026-11-24-00:44:46/vmcore-incomplete", "x");
	make_root_text(root, "/crash/127.0.0.1-2026-11-24-00:44:46/kexec-dmesg.log", "x");
	assert_false(hosted_find_dump(dir, now - 10, path));
	make_root_text(root, dump, "x");
	assert_true(hosted_find_dump(dir, now - 10, path));
	assert_string_equal(path + strlen(root->path), dump);
}

int main(void)
{
#define ROOT(sentence, function) TEST_WITH(sentence, function, make_root_setup, make_root_teardown)
	const struct CMUnitTest tests[] = {
		ROOT("its defaults are known", test_defaults),
		ROOT("its kernel is the one that it says, and its initramfs the last that it made",
		     test_files),
		ROOT("both may have the boot loader's names", test_loader_files),
		ROOT("what makes its dump tells what that is like", test_core_collector),
		ROOT("a dump may go to another machine, and then any store will do", test_remote),
		ROOT("else the store is where its dumps are, or arm says why not", test_store),
		ROOT("its dump is found, but none that is not whole", test_dump),
	};

	return RUN_TESTS(tests);
}
