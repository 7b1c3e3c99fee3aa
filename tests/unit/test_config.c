// SPDX-License-Identifier: GPL-2.0-only
/* The file that arm leaves for capture. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/config.h"

static struct error *read_text(const char *text, struct config *ret)
{
	char path[] = "/tmp/lockdump-test.XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	struct error *err = config_read(path, ret);
	unlink(path);
	return err;
}

static void test_round_trip(void **state)
{
	struct config config, back;
	char *text;
	size_t size;

	(void)state;
	config_init(&config);
	strcpy(config.release, "6.1.0");
	strcpy(config.store.folder, "/var/crash");
	strcpy(config.store.path, "/a = b");
	config.reserved_kb = 196608;
	config.vmcore_s = 77;
	config.encrypt = 1;
	strcpy(config.with, "kdump-tools");
	strcpy(config.program, "/usr/sbin/lockdump");
	strcpy(config.host_dir, "/srv/crash");
	strcpy(config.host_remote, "NFS a:/b");
	config.host_goes_on = 1;
	assert_null(strings_add(&config.modules, "/modules/b.ko"));
	assert_null(strings_add(&config.modules, "/modules/a.ko"));
	FILE *file = open_memstream(&text, &size);
	assert_null(config_write(&config, file));
	fclose(file);
	assert_null(read_text(text, &back));
	assert_string_equal(back.release, "6.1.0");
	assert_string_equal(back.store.folder, "/var/crash");
	assert_string_equal(back.store.path, "/a = b");
	assert_string_equal(back.compression, "zlib");
	assert_int_equal(back.reserved_kb, 196608);
	assert_int_equal(back.vmcore_s, 77);
	assert_int_equal(back.dump_level, 31);
	assert_int_equal(back.encrypt, 1);
	assert_string_equal(back.with, "kdump-tools");
	assert_string_equal(back.program, "/usr/sbin/lockdump");
	assert_string_equal(back.host_dir, "/srv/crash");
	assert_string_equal(back.host_remote, "NFS a:/b");
	assert_int_equal(back.host_goes_on, 1);
	assert_int_equal(back.modules.count, 2);
	assert_string_equal(back.modules.items[0], "/modules/b.ko");
	assert_string_equal(back.modules.items[1], "/modules/a.ko");
	config_deinit(&config);
	config_deinit(&back);
	free(text);
}

static void test_places(void **state)
{
	struct place places[MAX_PLACES];
	struct config config;

	(void)state;
	assert_null(read_text("store=/a\nstore_uuid=1\nstore_fs=ext4\nstore_path=/b\n"
			      "watchdog=iTCO_wdt\n",
			      &config));
	assert_int_equal(config_places(&config, places), 1);
	assert_string_equal(places[0].folder, "/a");
	assert_string_equal(places[0].path, "/b");
	assert_string_equal(config.watchdogs.items[0], "iTCO_wdt");
	config_deinit(&config);
	assert_null(read_text("store_uuid=1\nsecond_store=/c\nsecond_uuid=2\nsecond_fs=xfs\n"
			      "second_path=/d\n",
			      &config));
	assert_int_equal(config_places(&config, places), 2);
	assert_string_equal(places[1].uuid, "2");
	assert_string_equal(places[1].fs, "xfs");
	assert_string_equal(places[1].path, "/d");
	assert_string_not_equal(places[0].point, places[1].point);
	config_deinit(&config);
}

static void test_line_break(void **state)
{
	struct config config;

	(void)state;
	config_init(&config);
	strcpy(config.store.path, "/a\nmodule=/evil.ko");
	FILE *file = fopen("/dev/null", "w");
	struct error *err = config_write(&config, file);
	assert_non_null(err);
	error_destroy(err);
	fclose(file);
}

static void test_bad_values(void **state)
{
	static const char *const bad[] = {
		"dump_level=x\n",
		"dump_level=\n",
		"vmcore_s=4294967296\n",
		"vmcore_s=4294967295\n", /* a step's grace on top would make it 0: for ever */
		"overall_s=0\n",
		"reserved_kb=-1\n",
		"compression=0123456789012345678901234567890123456789\n",
	};
	struct config config;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error *err = read_text(bad[i], &config);
		assert_non_null(err);
		error_destroy(err);
	}
}

static void test_scale(void **state)
{
	struct config config;

	(void)state;
	config_init(&config);
	config_scale(&config, 1ul << 20); /* 1 GB */
	assert_in_range(config.vmcore_s, 120, 150);
	assert_int_equal(config.manifest_s, config.vmcore_s);
	assert_true(config.overall_s > config.vmcore_s + config.manifest_s + config.device_s);
	config_scale(&config, 1ul << 30); /* 1 TB */
	assert_in_range(config.vmcore_s, 2 * 3600, 4 * 3600);
	config_scale(&config, ~0ul);
	assert_int_equal(config.vmcore_s, 24 * 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what is written is what is read, modules in their order", test_round_trip),
		TEST("a second store is there if it has a file system", test_places),
		TEST("a line break in a path cannot become another setting", test_line_break),
		TEST("a value that is no number, or too long, is an error", test_bad_values),
		TEST("the limits grow with the memory, and end at a day", test_scale),
	};

	return RUN_TESTS(tests);
}
