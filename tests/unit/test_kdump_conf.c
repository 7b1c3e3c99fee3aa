// SPDX-License-Identifier: GPL-2.0-only
/* kdump.conf of kdump-utils: where the dump goes, and which folder that is on this machine. */
#include "test.h"

#include <string.h>

#include "kdump/kdump_conf.h"
#include "make_dump.h"
#include "make_root.h"

#define MOUNTS                                                  \
	"/dev/vda / ext4 rw 0 0\n"                              \
	"/dev/mapper/vg-crash /mnt/the\\040dumps ext4 rw 0 0\n" \
	"/dev/mapper/vg-crash /srv/part ext4 rw 0 0\n"          \
	"nas:/export /kdumproot/mnt nfs4 rw,vers=4.2 0 0\n"

static struct kdump_conf read_text(const struct made_root *root, const char *text)
{
	struct kdump_conf conf;

	make_root_text(root, KDUMP_CONF_FILE, text);
	make_root_text(root, "/proc/self/mounts", MOUNTS);
	assert_no_error(kdump_conf_read(root->path, &conf));
	return conf;
}

static void assert_folder(const struct made_root *root, const struct kdump_conf *conf,
			  const char *folder, const char *point)
{
	char found[PATH_MAX], found_point[PATH_MAX];

	assert_no_error(kdump_conf_folder(conf, root->path, found, found_point));
	assert_string_equal(found, folder);
	assert_string_equal(found_point, point);
}

static void test_defaults(void **state)
{
	struct kdump_conf conf = read_text(*state, "# path /elsewhere\n\n");

	assert_int_equal(conf.kind, KDUMP_TARGET_PATH);
	assert_string_equal(conf.path, "/var/crash");
	assert_string_equal(conf.sshkey, "/root/.ssh/kdump_id_rsa");
	assert_string_equal(conf.core_collector, "makedumpfile -l --message-level 7 -d 31");
	assert_folder(*state, &conf, "/var/crash", "");
	conf = read_text(*state, "path\n");
	assert_folder(*state, &conf, "/var/crash", "");
}

static void test_syntax(void **state)
{
	struct kdump_conf conf = read_text(*state, "  path   /first\n"
						   "path\t\"/the last\"  # holds\n"
						   "core_collector makedumpfile -c -d 17 # small\n"
						   "sshkey\n"
						   "extra_bins /bin/x\n"
						   "auto_reset_crashkernel yes");

	assert_int_equal(conf.kind, KDUMP_TARGET_PATH);
	assert_string_equal(conf.path, "/the last");
	assert_string_equal(conf.core_collector, "makedumpfile -c -d 17");
	assert_string_equal(conf.sshkey, "/root/.ssh/kdump_id_rsa");
}

static void test_mounted(void **state)
{
	struct kdump_conf conf = read_text(*state, "ext4 /dev/mapper/vg-crash\npath /a\n");

	assert_int_equal(conf.kind, KDUMP_TARGET_MOUNT);
	assert_folder(*state, &conf, "/mnt/the dumps/a", "/mnt/the dumps");
	/* As in the capture environment of who has a file system for /var/crash. */
	conf = read_text(*state, "path \next4 /dev/mapper/vg-crash\n");
	assert_folder(*state, &conf, "/mnt/the dumps", "/mnt/the dumps");
	conf = read_text(*state, "ext4 /dev/vda\npath a\n");
	assert_folder(*state, &conf, "/a", "/");
	conf = read_text(*state, "nfs nas:/export\n");
	assert_folder(*state, &conf, "/kdumproot/mnt/var/crash", "/kdumproot/mnt");
}

static void test_dracut_args(void **state)
{
	struct kdump_conf conf = read_text(
		*state,
		"dracut_args --omit \"a b\" --mount \"nas:/export /kdumproot nfs4 defaults\"\n");

	assert_int_equal(conf.kind, KDUMP_TARGET_MOUNT);
	assert_string_equal(conf.type, "nfs4");
	assert_folder(*state, &conf, "/kdumproot/mnt/var/crash", "/kdumproot/mnt");
	conf = read_text(*state, "dracut_args --omit-drivers \"nouveau\"\n");
	assert_int_equal(conf.kind, KDUMP_TARGET_PATH);
	conf = read_text(*state, "dracut_args --mount \"broken\"\n");
	assert_int_equal(conf.kind, KDUMP_TARGET_PATH);
}

static void assert_elsewhere(const struct made_root *root, const char *text, enum kdump_target kind,
			     const char *words)
{
	struct kdump_conf conf = read_text(root, text);
	char folder[PATH_MAX], described[128];

	assert_int_equal(conf.kind, kind);
	kdump_conf_describe(&conf, described, sizeof(described));
	assert_string_equal(described, words);
	assert_error(kdump_conf_folder(&conf, root->path, folder, NULL), ERROR_NOT_FOUND,
		     conf.target);
}

static void test_elsewhere(void **state)
{
	assert_elsewhere(*state, "ssh me@host\npath /c\n", KDUMP_TARGET_SSH, "ssh me@host:/c");
	assert_elsewhere(*state, "raw /dev/sdz9\n", KDUMP_TARGET_RAW, "raw /dev/sdz9");
	assert_elsewhere(*state, "nfs other:/export\n", KDUMP_TARGET_MOUNT,
			 "nfs other:/export/var/crash");
	assert_elsewhere(*state, "xfs UUID=no-such\n", KDUMP_TARGET_MOUNT,
			 "xfs UUID=no-such/var/crash");
}

static void test_absent(void **state)
{
	const struct made_root *root = *state;
	struct kdump_conf conf;

	assert_error(kdump_conf_read(root->path, &conf), ERROR_SYSTEM, KDUMP_CONF_FILE);
}

static void test_too_long(void **state)
{
	char text[PATH_MAX + 128] = "ext4 /dev/mapper/vg-crash\npath /";
	char folder[PATH_MAX];
	size_t length = strlen(text);

	memset(text + length, 'x', sizeof(text) - 1 - length);
	text[sizeof(text) - 1] = '\0';
	struct kdump_conf conf = read_text(*state, text);
	const struct made_root *root = *state;
	assert_error(kdump_conf_folder(&conf, root->path, folder, NULL), ERROR_OTHER, "too long");
}

int main(void)
{
#define ROOT(sentence, function) TEST_WITH(sentence, function, make_root_setup, make_root_teardown)
	const struct CMUnitTest tests[] = {
		ROOT("what it does not say is as kdump-utils has it", test_defaults),
		ROOT("comments, blanks and quotes are none of a value, and the last one holds",
		     test_syntax),
		ROOT("a target that is mounted has a folder, at the first place that has it",
		     test_mounted),
		ROOT("dracut's own way to name a target is known", test_dracut_args),
		ROOT("another machine, a bare partition and what is not mounted have none",
		     test_elsewhere),
		ROOT("no file is an error", test_absent),
		ROOT("nor is there a folder of a path that is too long", test_too_long),
	};

	return RUN_TESTS(tests);
}
