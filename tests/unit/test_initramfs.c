// SPDX-License-Identifier: GPL-2.0-only
/* The capture kernel's initramfs. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kdump/digest.h"
#include "kdump/initramfs.h"
#include "kdump/run.h"

/* As makedumpfile: any program that has libraries will do. */
#define PROGRAM "/bin/ls"

static struct error *make(struct initramfs *ret)
{
	struct driver_module module = { .name = (char *)"tests",
					.file = (char *)"/etc/os-release" };
	struct driver_modules modules = { .items = &module, .count = 1 };
	struct config config;

	config_init(&config);
	strcpy(config.release, "6.1.0");
	struct error *err = initramfs_create(&config, &modules, PROGRAM, ret);
	if (!err) {
		assert_int_equal(config.modules.count, 1);
		assert_string_equal(config.modules.items[0], "/modules/os-release");
	}
	config_deinit(&config);
	return err;
}

static void make_or_skip(struct initramfs *ret)
{
	char *cpio;
	struct error *err = run_find("cpio", &cpio);

	if (err) {
		print_message("%s\n", err->message);
		error_destroy(err);
		skip();
	}
	free(cpio);
	err = make(ret);
	if (err)
		fail_msg("%s", err->message);
}

static void checksum(const struct initramfs *initramfs, char ret[SHA256_HEX_SIZE])
{
	int fd = open(initramfs->file, O_RDONLY);

	assert_null(sha256_of(fd, initramfs->file, ret));
	close(fd);
}

static void test_same(void **state)
{
	struct initramfs initramfs;
	char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];

	(void)state;
	make_or_skip(&initramfs);
	checksum(&initramfs, first);
	initramfs_deinit(&initramfs);
	sleep(1); /* into another second, which is what archives keep */
	make_or_skip(&initramfs);
	checksum(&initramfs, second);
	initramfs_deinit(&initramfs);
	assert_string_equal(first, second);
}

static void test_content(void **state)
{
	static const char *const wanted[] = {
		"init\n",
		"bin/makedumpfile\n",
		"modules/os-release\n",
		"/libc.so.",
		"etc/lockdump/capture.conf\n",
		"proc\n",
		"store\n",
		"ld-linux",
	};
	struct initramfs initramfs;
	struct run run = RUN_INIT;
	struct stat st;

	(void)state;
	make_or_skip(&initramfs);
	run.input = open(initramfs.file, O_RDONLY);
	assert_null(run_program(&run, (const char *[]){ "cpio", "-t", NULL }));
	close(run.input);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(run.messages, wanted[i]))
			fail_msg("there is no %s in:\n%s", wanted[i], run.messages);
	assert_int_equal(stat(initramfs.file, &st), 0);
	assert_int_equal(st.st_size, initramfs.size);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(initramfs.staging, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	char staging[PATH_MAX];
	strcpy(staging, initramfs.staging);
	initramfs_deinit(&initramfs);
	assert_int_equal(stat(staging, &st), -1);
	assert_int_equal(errno, ENOENT);
}

static void test_no_room(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX";
	struct initramfs initramfs;

	(void)state;
	assert_non_null(mkdtemp(folder));
	if (mount("tmpfs", folder, "tmpfs", 0, "size=64k,mode=700")) {
		print_message("a small tmpfs cannot be mounted: %s\n", strerror(errno));
		rmdir(folder);
		skip();
	}
	setenv("TMPDIR", folder, 1);
	struct error *err = make(&initramfs);
	unsetenv("TMPDIR");
	initramfs_deinit(&initramfs);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "No space left on device"));
	error_destroy(err);

	size_t left = 0;
	DIR *dir = opendir(folder);
	for (struct dirent *entry; (entry = readdir(dir));)
		left += entry->d_name[0] != '.';
	closedir(dir);
	assert_int_equal(left, 0);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the same inputs give the same bytes", test_same),
		TEST("init, makedumpfile, libraries, modules and configuration are in it, and nothing "
		     "is left behind",
		     test_content),
		TEST("without room for it, it fails and leaves nothing", test_no_room),
	};

	return RUN_TESTS(tests);
}
