// SPDX-License-Identifier: GPL-2.0-only
/* The capture kernel's initramfs. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kdump/digest.h"
#include "kdump/initramfs.h"
#include "kdump/run.h"

/* Any programs that have libraries will do, and any file. */
static const struct initramfs_programs programs = {
	.makedumpfile = "/bin/ls",
	.age = "/bin/cat",
	.recipients = "/etc/os-release",
};

static struct error *plan(const char *module_file, const char *store, struct initramfs *ret)
{
	struct driver_module module = { .name = (char *)"tests", .file = (char *)module_file };
	struct driver_modules modules = { .items = &module, .count = 1 };
	struct kept_symbols symbols = { .text = (char *)"0 T _text\n", .size = 10 };
	struct config config;

	config_init(&config);
	strcpy(config.release, "6.1.0");
	strcpy(config.store.folder, store);
	struct error *err = initramfs_plan(&config, &modules, &programs, &symbols, ret);
	if (!err) {
		assert_int_equal(config.modules.count, 1);
		assert_string_equal(config.modules.items[0], "/modules/os-release");
	}
	config_deinit(&config);
	return err;
}

/* Its archive. */
static FILE *make(const char *module_file, struct initramfs *ret)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	struct error *err = plan(module_file, "/var/crash", ret);
	if (!err)
		err = initramfs_write(ret, file);
	if (err)
		fail_msg("%s", err->message);
	rewind(file);
	return file;
}

static void checksum(FILE *archive, char ret[SHA256_HEX_SIZE])
{
	rewind(archive);
	lseek(fileno(archive), 0, SEEK_SET);
	assert_null(sha256_of(fileno(archive), "archive", ret));
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

static void test_same(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", module[64];
	struct initramfs a, b;
	char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(module, sizeof(module), "%s/os-release", folder);
	touch(module, 1000000000);
	FILE *archive = make(module, &a);
	checksum(archive, first);
	fclose(archive);
	/* Another file with the same bytes, by somebody else. */
	unlink(module);
	umask(077);
	touch(module, 1500000000);
	umask(022);
	archive = make(module, &b);
	checksum(archive, second);
	fclose(archive);
	unlink(module);
	rmdir(folder);
	assert_string_equal(first, second);
	assert_string_equal(a.content, b.content);
	initramfs_deinit(&a);
	initramfs_deinit(&b);
}

static void test_other(void **state)
{
	struct initramfs a, b, c;

	(void)state;
	assert_null(plan("/etc/os-release", "/var/crash", &a));
	assert_null(plan("/etc/os-release", "/srv/crash", &b));
	assert_string_not_equal(a.content, b.content);
	char folder[] = "/tmp/lockdump-test.XXXXXX", module[64];
	assert_non_null(mkdtemp(folder));
	snprintf(module, sizeof(module), "%s/os-release", folder);
	touch(module, 1);
	assert_null(plan(module, "/var/crash", &c));
	assert_string_not_equal(a.content, c.content);
	unlink(module);
	rmdir(folder);
	initramfs_deinit(&a);
	initramfs_deinit(&b);
	initramfs_deinit(&c);
}

/* What another reader makes of it. */
static void test_content(void **state)
{
	static const char *const wanted[] = {
		"init\n",
		"bin/makedumpfile\n",
		"bin/age\n",
		"etc/lockdump/recipients\n",
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
	char *cpio;
	struct error *err = run_find("cpio", &cpio);

	(void)state;
	if (err) {
		print_message("skipped: %s\n", err->message);
		error_destroy(err);
		skip();
	}
	free(cpio);
	FILE *archive = make("/etc/os-release", &initramfs);
	run.input = fileno(archive);
	lseek(run.input, 0, SEEK_SET);
	assert_null(run_program(&run, (const char *[]){ "cpio", "-t", NULL }));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(run.messages, wanted[i]))
			fail_msg("there is no %s in:\n%s", wanted[i], run.messages);
	assert_int_equal(fstat(run.input, &st), 0);
	assert_int_equal(st.st_size, initramfs.size);
	fclose(archive);
	initramfs_deinit(&initramfs);
}

static void test_unpacked(void **state)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", path[64], self[PATH_MAX] = "";
	char command[PATH_MAX + 256], text[32] = "";
	struct initramfs initramfs;
	struct stat st;

	(void)state;
	if (system("command -v cpio >/dev/null"))
		SKIP("cpio: not installed");
	assert_non_null(mkdtemp(folder));
	FILE *archive = make("/etc/os-release", &initramfs);
	snprintf(command, sizeof(command), "cd %s && cpio -i -d -m --quiet <&%d", folder,
		 fileno(archive));
	lseek(fileno(archive), 0, SEEK_SET);
	assert_int_equal(system(command), 0);
	fclose(archive);
	initramfs_deinit(&initramfs);
	snprintf(path, sizeof(path), "%s/init", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 0);
	snprintf(path, sizeof(path), "%s/etc/lockdump/kallsyms", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	FILE *file = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "0 T _text\n");
	/* Asked here: from outside it is valgrind, under which this may run. */
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(command, sizeof(command), "cmp %s/init '%s' && cmp %s/bin/makedumpfile %s", folder,
		 self, folder, programs.makedumpfile);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_no_room(void **state)
{
	struct initramfs initramfs;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_null(plan("/etc/os-release", "/var/crash", &initramfs));
	struct error *err = initramfs_write(&initramfs, full);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "No space left on device"));
	error_destroy(err);
	fclose(full);
	initramfs_deinit(&initramfs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the same inputs give the same bytes, whenever and by whom they were written",
		     test_same),
		TEST("another store, or another module, gives another", test_other),
		TEST("init, makedumpfile, age, its recipients, libraries, modules, symbols and configuration are in it",
		     test_content),
		TEST("cpio unpacks it, with modes and without times", test_unpacked),
		TEST("without room for it, it fails and says why", test_no_room),
	};

	return RUN_TESTS(tests);
}
