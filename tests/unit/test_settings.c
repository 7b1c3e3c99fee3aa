// SPDX-License-Identifier: GPL-2.0-only
/* lockdump.conf's [Capture], [Store] and [Harvest]. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/settings.h"
#include "make_dump.h"

static struct error *read_text(const char *text, struct settings *ret)
{
	char folder[] = "/tmp/lockdump-test.XXXXXX", path[64];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lockdump.conf", folder);
	FILE *file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
	struct error *err = settings_read(folder, ret);
	unlink(path);
	rmdir(folder);
	return err;
}

static void test_defaults(void **state)
{
	struct settings settings;

	(void)state;
	assert_no_error(settings_read("/nowhere", &settings));
	assert_string_equal(settings.store, "/var/crash");
	assert_int_equal(settings.keep.incidents, 0);
	assert_true(settings.keep.free.share == 0.15);
	assert_string_equal(settings.mail_to, "");
	assert_string_equal(settings.encrypt_to, "");
	assert_int_equal(settings.dump_level, -1);
	assert_string_equal(settings.compression, "");
	assert_no_error(read_text("[Store]\nKeepFree=1G\nKeepFree=\n", &settings));
	assert_true(settings.keep.free.share == 0.15);
}

static void test_all(void **state)
{
	struct settings settings;

	(void)state;
	assert_no_error(read_text(
		"[Watch]\nStore=/s\nThreshold=5\n"
		"[Store]\nSecond=/t\nKeepIncidents=20\nKeepSize=1.5G\nKeepAge=4 weeks\nKeepFree=10%\n"
		"[Capture]\nWith=kdump-tools\nDumpLevel=0\nCompression=zstd\nEncryptTo=/etc/keys\n"
		"[Harvest]\nMailTo=root, a@b.c\nHookTimeoutSec=2min\nDebugDir=/d\n",
		&settings));
	assert_string_equal(settings.store, "/s");
	assert_string_equal(settings.second_store, "/t");
	assert_int_equal(settings.with, WITH_KDUMP_TOOLS);
	assert_string_equal(settings.encrypt_to, "/etc/keys");
	assert_int_equal(settings.keep.incidents, 20);
	assert_int_equal(settings.keep.size.bytes, 3ull << 29);
	assert_true(settings.keep.age_s == 4 * 604800);
	assert_true(settings.keep.free.share == 0.1 && !settings.keep.free.bytes);
	assert_int_equal(settings.dump_level, 0);
	assert_string_equal(settings.compression, "zstd");
	assert_string_equal(settings.mail_to, "root, a@b.c");
	assert_true(settings.hook_timeout_s == 120);
	assert_string_equal(settings.debug_dir, "/d");
	assert_no_error(read_text("[Store]\nKeepFree=0\nKeepSize=512\n", &settings));
	assert_true(!settings.keep.free.bytes && !settings.keep.free.share);
	assert_int_equal(settings.keep.size.bytes, 512);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
		"[Capture]\nDumpLevel=32",	  "[Capture]\nDumpLevel=-1",
		"[Capture]\nCompression=xz",	  "[Capture]\nDumpLevel=1x",
		"[Store]\nKeepIncidents=-1",	  "[Store]\nKeepIncidents=x",
		"[Store]\nKeepIncidents=9999999", "[Store]\nKeepSize=10 parsec",
		"[Store]\nKeepSize=10GG",	  "[Store]\nKeepSize=-1",
		"[Store]\nKeepSize=101%",	  "[Store]\nKeepSize=nan",
		"[Store]\nKeepSize=99999999E",	  "[Store]\nKeepAge=soon",
		"[Harvest]\nMailTo=-Xlog",	  "[Harvest]\nMailTo=a\tb",
		"[Capture]\nWith=kdump",	  "[Capture]\nEncryptTo=keys",
		"[Capture]\nEncryptTo=age1rlq",	  "[Harvest]\nHookTimeoutSec=0",
		"[Harvest]\nHookTimeoutSec=1y",
	};
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_error(read_text(lines[i], &settings), ERROR_OTHER, "lockdump.conf:2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("without a configuration 15 % of the disk are kept free, and nobody is told",
		     test_defaults),
		TEST("numbers, sizes, shares, spans and texts are read", test_all),
		TEST("what is none of these is refused, with its line", test_refused),
	};

	return RUN_TESTS(tests);
}
