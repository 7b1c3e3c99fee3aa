// SPDX-License-Identifier: GPL-2.0-only
/* What Debian's kdump-tools is told by its own file, what it leaves, and what a capture in its environment makes of that. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kdump/hosted.h"
#include "kdump/kdump_tools.h"
#include "kdump/with.h"
#include "make_dump.h"
#include "make_root.h"

static struct error *read_text(struct made_root *root, const char *text, struct host_settings *ret)
{
	make_root_text(root, KDUMP_TOOLS_FILE, text);
	return kdump_tools.read(root->path, ret);
}

static void test_defaults(void **state)
{
	struct host_settings settings;

	assert_no_error(read_text(*state, "", &settings));
	assert_false(settings.enabled);
	assert_string_equal(settings.dir, "/var/crash");
	assert_string_equal(settings.remote, "");
	assert_int_equal(settings.keeps, 0);
	assert_false(settings.goes_on);
	assert_int_equal(settings.dump_level, 31);
	assert_string_equal(settings.compression, "zlib");
}

static void test_all(void **state)
{
	struct host_settings settings;

	assert_no_error(read_text(*state,
				  "# a script\n"
				  "USE_KDUMP=1\n"
				  "dir=/srv\n"
				  "KDUMP_KERNEL=/k\nKDUMP_INITRD=/i\n"
				  "KDUMP_COREDIR=\"$dir/crash\"\n"
				  "NFS_TIMEO=600\nSSH=\"u@h\"\n"
				  "KDUMP_NUM_DUMPS=3\n"
				  "KDUMP_FAIL_CMD=\"echo 'it failed'; reboot -f\"\n"
				  "MAKEDUMP_ARGS=\"-l -d 23 --message-level 1\"\n",
				  &settings));
	assert_true(settings.enabled);
	assert_string_equal(settings.kernel, "/k");
	assert_string_equal(settings.initrd, "/i");
	assert_string_equal(settings.dir, "/srv/crash");
	assert_string_equal(settings.remote, "SSH u@h");
	assert_int_equal(settings.keeps, 3);
	assert_true(settings.goes_on);
	assert_int_equal(settings.dump_level, 23);
	assert_string_equal(settings.compression, "lzo");
}

static void test_broken(void **state)
{
	struct host_settings settings;
	struct error *err = read_text(*state, "exit 3\n", &settings);

	assert_non_null(err);
	error_destroy(err);
	err = kdump_tools.read("/nowhere", &settings);
	assert_non_null(err);
	error_destroy(err);
}

static void test_conflict(void **state)
{
	struct host_settings settings = { .keeps = 2 };
	struct made_root *root = *state;

	make_root_text(root, "/crash/a", "");
	snprintf(settings.dir, sizeof(settings.dir), "%s/crash", root->path);
	assert_non_null(kdump_tools.conflict(&settings, settings.dir));
	assert_null(kdump_tools.conflict(&settings, root->path));
	settings.keeps = 0;
	assert_null(kdump_tools.conflict(&settings, settings.dir));
}

static void test_disabled(void **state)
{
	struct host_settings settings = { .enabled = true };

	(void)state;
	assert_no_error(kdump_tools.check(&settings, "/nowhere"));
	settings.enabled = false;
	assert_error(kdump_tools.check(&settings, "/nowhere"), ERROR_OTHER, "USE_KDUMP is 0");
}

/* --- its dump -------------------------------------------------------------------------- */

#define DUMP "/crash/202611231748/dump.202611231748"

static bool find(const struct made_root *root, time_t since, char ret[static PATH_MAX])
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%s/crash", root->path);
	return hosted_find_dump(dir, since, ret);
}

static void test_find(void **state)
{
	struct made_root *root = *state;
	char path[PATH_MAX];
	time_t now = time(NULL);

	assert_false(find(root, now, path));
	make_root_text(root, "/crash/kexec_cmd", "x");
	make_root_text(root, "/crash/202611231748/dmesg.202611231748", "x");
	make_root_text(root, "/crash/202611231748/dump-incomplete", "x");
	make_root_text(root, "/crash/20261123T174800Z-0123abcd/vmcore", "an incident's");
	assert_false(find(root, now, path));
	make_root_text(root, DUMP, "");
	assert_false(find(root, now, path));
	make_root_text(root, DUMP, "x");
	assert_true(find(root, now, path));
	assert_string_equal(path + strlen(root->path), DUMP);
}

static void test_find_older(void **state)
{
	struct made_root *root = *state;
	char path[PATH_MAX];

	make_root_text(root, DUMP, "x");
	assert_false(find(root, time(NULL) + 10, path));
}

/* Both kernels' makers of such a folder are root; but a link in it could lead anywhere. */
static void test_find_link(void **state)
{
	struct made_root *root = *state;
	char path[PATH_MAX];

	make_root_text(root, "/elsewhere", "x");
	make_root_text(root, "/crash/202611231748/dmesg.202611231748", "x");
	make_root_text(root, DUMP, "");
	make_root_unlink(root, DUMP);
	assert_int_equal(symlink("/etc/passwd", make_root_place(root, DUMP)), 0);
	assert_false(find(root, 0, path));
}

/* --- whose it is ----------------------------------------------------------------------- */

static void test_not_due(void **state)
{
	struct made_root *root = *state;
	struct config config;

	/* No crash was here. */
	make_root_text(root, "/capture.conf", "[capture]\nwith=kdump-tools\n");
	assert_false(hosted_is_due(make_root_place(root, "/capture.conf"), "kdump-tools", &config));
}

static void test_names(void **state)
{
	enum with with;

	(void)state;
	assert_true(with_find("kdump-tools", &with));
	assert_int_equal(with, WITH_KDUMP_TOOLS);
	assert_true(with_find("kdump-utils", &with));
	assert_int_equal(with, WITH_KDUMP_UTILS);
	assert_ptr_equal(with_host(with), with_find_host("kdump-utils"));
	assert_null(with_find_host("builtin"));
	assert_string_equal(with_name(WITH_AUTO), "auto");
	assert_false(with_find("kdump", &with));
}

static void test_choose(void **state)
{
	enum with with;
	struct error *err = with_choose("/nowhere", &with);

	(void)state;

	assert_non_null(err);
	assert_int_equal(err->class, ERROR_NOT_FOUND);
	error_destroy(err);
	/* No block device is below it. */
	err = with_choose("/proc", &with);
	if (!err)
		SKIP("kdump-tools or kdump-utils is installed");
	assert_non_null(strstr(
		err->message,
		"or install kdump-tools (Debian's) or kdump-utils (Fedora's), which reach others"));
	error_destroy(err);
}

int main(void)
{
#define ROOT(sentence, function) TEST_WITH(sentence, function, make_root_setup, make_root_teardown)
	const struct CMUnitTest tests[] = {
		ROOT("what its file does not say is as kdump-config has it", test_defaults),
		ROOT("its file is a script, and its values are what that makes of them", test_all),
		ROOT("a file that fails, or is not there, is an error", test_broken),
		ROOT("it must not count incidents among the dumps that it keeps", test_conflict),
		TEST("it must not be switched off by its file", test_disabled),
		ROOT("its dump is found, but none that is not whole, empty or lockdump's",
		     test_find),
		ROOT("nor one of an earlier crash", test_find_older),
		ROOT("nor what a link leads to", test_find_link),
		ROOT("without a crash there is nothing to do", test_not_due),
		ROOT("hosts have names", test_names),
		ROOT("auto says why builtin does not do, and what to install", test_choose),
	};

	return RUN_TESTS(tests);
}
