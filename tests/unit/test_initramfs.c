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

static struct error *make(const char *module_file, struct initramfs *ret)
{
	struct driver_module module = { .name = (char *)"tests", .file = (char *)module_file };
	struct driver_modules modules = { .items = &module, .count = 1 };
	struct kept_symbols symbols = { .text = (char *)"0 T _text\n", .size = 10 };
	struct config config;

	config_init(&config);
	strcpy(config.release, "6.1.0");
	struct error *err = initramfs_create(&config, &modules, PROGRAM, &symbols, ret);
	if (!err) {
		assert_int_equal(config.modules.count, 1);
		assert_string_equal(config.modules.items[0], "/modules/os-release");
	}
	config_deinit(&config);
	return err;
}

static void make_or_skip(const char *module_file, struct initramfs *ret)
{
	char *cpio;
	struct error *err = run_find("cpio", &cpio);

	if (err) {
		print_message("skipped: %s\n", err->message);
		error_destroy(err);
		skip();
	}
	free(cpio);
	err = make(module_file, ret);
	if (err)
		fail_msg("%s", err->message);
}

static void checksum(const struct initramfs *initramfs, char ret[SHA256_HEX_SIZE])
{
	int fd = open(initramfs->file, O_RDONLY);

	assert_null(sha256_of(fd, initramfs->file, ret));
	close(fd);
}

/* A module with a time of its own. */
static void touch(const char *path, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Every entry's time in the archive, which is in cpio's 'newc' format, is 0: neither its source's nor now. */
static void assert_no_times(const struct initramfs *initramfs)
{
	FILE *file = fopen(initramfs->file, "r");
	char header[110 + 1] = "", name[PATH_MAX];
	size_t count = 0;

	assert_non_null(file);
	while (fread(header, 110, 1, file) == 1) {
		unsigned int mtime, size, name_size;
		assert_int_equal(
			sscanf(header, "070701%*40c%8x%8x%*32c%8x", &mtime, &size, &name_size), 3);
		assert_in_range(name_size, 2, sizeof(name));
		assert_int_equal(fread(name, name_size, 1, file), 1);
		if (!strcmp(name, "TRAILER!!!"))
			break;
		if (mtime)
			fail_msg("%s: time %u", name, mtime);
		count++;
		/* The name and the content end at multiples of 4. */
		fseek(file, (ftell(file) + 3) / 4 * 4 + (size + 3) / 4 * 4, SEEK_SET);
	}
	fclose(file);
	assert_string_equal(name, "TRAILER!!!");
	assert_true(count > 5);
}

static void test_same(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", module[64];
	struct initramfs initramfs;
	char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(module, sizeof(module), "%s/os-release", folder);
	touch(module, 1000000000);
	make_or_skip(module, &initramfs);
	checksum(&initramfs, first);
	assert_no_times(&initramfs);
	initramfs_deinit(&initramfs);
	touch(module, 1500000000);
	make_or_skip(module, &initramfs);
	checksum(&initramfs, second);
	initramfs_deinit(&initramfs);
	unlink(module);
	rmdir(folder);
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
		"etc/lockdump/kallsyms\n",
		"proc\n",
		"store\n",
		"ld-linux",
	};
	struct initramfs initramfs;
	struct run run = RUN_INIT;
	struct stat st;

	(void)state;
	make_or_skip("/etc/os-release", &initramfs);
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
		print_message("skipped: a small tmpfs cannot be mounted: %s\n", strerror(errno));
		rmdir(folder);
		skip();
	}
	setenv("TMPDIR", folder, 1);
	struct error *err = make("/etc/os-release", &initramfs);
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
		TEST("the same inputs give the same bytes, whenever they were written", test_same),
		TEST("init, makedumpfile, libraries, modules, symbols and configuration are in it, and nothing "
		     "is left behind",
		     test_content),
		TEST("without room for it, it fails and leaves nothing", test_no_room),
	};

	return RUN_TESTS(tests);
}
