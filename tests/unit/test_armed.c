// SPDX-License-Identifier: GPL-2.0-only
/* What arm keeps of what it loaded, and what that is compared with: the machine, and the crash kernel's memory. */

#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/armed.h"
#include "kdump/loaded_image.h"
#include "kdump/state_folder.h"
#include "make_armed.h"
#include "make_crash_image.h"
#include "make_root.h"

#define IOMEM                                   \
	"00001000-0009ffff : System RAM\n"      \
	"00100000-3fffffff : System RAM\n"      \
	"  01000000-01ffffff : Kernel code\n"   \
	"  02000000-027fffff : Kernel rodata\n" \
	"  30000000-3000ffff : Crash kernel\n"  \
	"fee00000-fee00fff : Local APIC\n"

static void test_machine(void **state)
{
	struct made_root *root = *state;
	static const unsigned char notes[] = { 4, 0, 0,	  0,   4,   0, 0,    0,	   3,	 0,
					       0, 0, 'G', 'N', 'U', 0, 0x01, 0xab, 0xcd, 0xef };
	struct machine machine;

	make_root_text(root, "/proc/sys/kernel/osrelease", "6.1.0-13\n");
	make_root_text(root, "/proc/sys/kernel/random/boot_id", "0123\n");
	make_root_text(root, "/sys/devices/system/cpu/present", "0-3\n");
	make_root_text(root, "/proc/iomem", IOMEM);
	make_root_write(root, "/sys/kernel/notes", notes, sizeof(notes));
	make_root_text(root, "/sys/devices/system/cpu/crash_hotplug", "1\n");
	machine_read(root->path, &machine);
	assert_string_equal(machine.release, "6.1.0-13");
	assert_string_equal(machine.boot_id, "0123");
	assert_string_equal(machine.cpus, "0-3");
	assert_string_equal(machine.build_id, "01abcdef");
	assert_int_equal(machine.memory_kb, (0x9f000 + 0x3ff00000) / 1024);
	assert_int_equal(machine.kernel_kb, 24 * 1024);
	assert_int_equal(machine.cpu_updates, UPDATES_YES);
	assert_int_equal(machine.memory_updates, UPDATES_UNKNOWN);
}

static void test_bare_machine(void **state)
{
	struct made_root *root = *state;
	struct machine machine;

	machine_read(root->path, &machine);
	assert_true(*machine.release); /* there is always uname */
	assert_string_equal(machine.cpus, "");
	assert_int_equal(machine.memory_kb, 0);
}

static void fill(struct made_root *root, struct armed *armed)
{
	char path[64];

	*armed = (struct armed){ .reserved_kb = 196608 };
	strcpy(armed->machine.release, "6.1.0-13");
	strcpy(armed->machine.cpus, "0-3");
	armed->machine.memory_kb = 1048576;
	armed->machine.cpu_updates = UPDATES_NO;
	strcpy(armed->kernel_file, "/boot/vmlinuz-6.1.0-13");
	strcpy(armed->parameters, "quiet panic=10");
	strcpy(armed->content, "abcd");
	strcpy(armed->loaded_by, "kexec_load");
	strcpy(armed->store, "/var/crash");
	strcpy(armed->makedumpfile, "1.7.2");
	strcpy(armed->recipients, "/etc/keys");
	make_root_text(root, "/input", "a program");
	snprintf(path, sizeof(path), "%s/input", root->path);
	assert_null(armed_add_file(armed, path));
}

static struct error *read_back(const struct made_root *root, struct armed *ret)
{
	struct incident folder;
	struct error *err = state_folder_open(root->path, &folder);

	if (!err) {
		err = armed_read(&folder, ret);
		incident_close(&folder);
	}
	return err;
}

static void test_kept(void **state)
{
	struct made_root *root = *state;
	struct armed armed, found;
	struct stat st;

	fill(root, &armed);
	make_armed(root, "070701...", 9, &armed);
	assert_null(read_back(root, &found));
	assert_string_equal(found.machine.release, "6.1.0-13");
	assert_string_equal(found.machine.cpus, "0-3");
	assert_string_equal(found.machine.build_id, "");
	assert_int_equal(found.machine.memory_kb, 1048576);
	assert_int_equal(found.machine.cpu_updates, UPDATES_NO);
	assert_int_equal(found.machine.memory_updates, UPDATES_UNKNOWN);
	assert_string_equal(found.kernel_file, "/boot/vmlinuz-6.1.0-13");
	assert_string_equal(found.parameters, "quiet panic=10");
	assert_string_equal(found.content, "abcd");
	assert_string_equal(found.loaded_by, "kexec_load");
	assert_true(armed_is_same(&found, &armed));
	assert_string_equal(found.store, "/var/crash");
	assert_string_equal(found.makedumpfile, "1.7.2");
	assert_string_equal(found.recipients, "/etc/keys");
	assert_int_equal(found.reserved_kb, 196608);
	assert_int_equal(found.initramfs_size, 9);
	assert_int_equal(found.loaded_at, 0);
	assert_string_equal(found.initramfs_sha256, armed.initramfs_sha256);
	assert_true(found.time_s > 1.7e9);
	assert_int_equal(stat(make_root_place(root, STATE_FOLDER "/" ARMED_INITRAMFS), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	assert_int_equal(found.inputs.count, 1);
	assert_true(armed_input_holds("", &found.inputs.data[0]));
	make_root_text(root, "/input", "another");
	assert_false(armed_input_holds("", &found.inputs.data[0]));
	/* Nobody waits for what another would write. */
	make_root_unlink(root, "/input");
	assert_int_equal(mkfifo(make_root_place(root, "/input"), 0600), 0);
	alarm(60);
	assert_false(armed_input_holds("", &found.inputs.data[0]));
	alarm(0);
	armed_deinit(&found);
	armed_deinit(&armed);

	armed_forget(root->path);
	struct error *err = read_back(root, &found);
	assert_non_null(err);
	assert_int_equal(err->class, ERROR_NOT_FOUND);
	error_destroy(err);
}

/* Somebody else's initramfs stays his own; what capture is told in his environment is forgotten with all else. */
static void test_hosted(void **state)
{
	struct made_root *root = *state;
	static const char config[] = STATE_FOLDER "/" ARMED_CONFIG,
			  symbols[] = STATE_FOLDER "/" ARMED_SYMBOLS;
	struct incident folder;
	struct armed armed, found;

	fill(root, &armed);
	strcpy(armed.with, "kdump-tools");
	strcpy(armed.initramfs_file, "/var/lib/kdump/initrd.img-6.1");
	assert_null(state_folder_make(root->path, &folder));
	make_root_text(root, config, "[capture]\n");
	make_root_text(root, symbols, "0 T _stext\n");
	assert_null(armed_write(&folder, &armed));
	assert_null(read_back(root, &found));
	assert_string_equal(found.with, "kdump-tools");
	assert_string_equal(armed_initramfs(&found), "/var/lib/kdump/initrd.img-6.1");
	assert_true(armed_is_same(&found, &armed));
	armed_deinit(&found);

	strcpy(armed.with, "builtin");
	armed.initramfs_file[0] = '\0';
	assert_null(armed_write(&folder, &armed));
	assert_null(read_back(root, &found));
	assert_string_equal(armed_initramfs(&found), STATE_FOLDER "/" ARMED_INITRAMFS);
	armed_deinit(&found);
	armed_deinit(&armed);
	incident_close(&folder);
	assert_int_equal(access(make_root_place(root, config), F_OK), 0);
	armed_forget(root->path);
	assert_int_not_equal(access(make_root_place(root, config), F_OK), 0);
	assert_int_not_equal(access(make_root_place(root, symbols), F_OK), 0);
}

static void test_marked(void **state)
{
	struct made_root *root = *state;
	struct incident folder;
	struct armed armed, found;

	fill(root, &armed);
	make_armed(root, "070701...", 9, &armed);
	armed_deinit(&armed);
	assert_null(state_folder_open(root->path, &folder));
	assert_null(armed_mark(&folder));
	struct error *err = read_back(root, &found);
	assert_non_null(err);
	assert_int_equal(err->class, ERROR_OTHER);
	assert_non_null(strstr(err->message, "'lockdump arm' was interrupted, or is at work"));
	error_destroy(err);
	assert_null(armed_read_marked(&folder, &found));
	armed_deinit(&found);
	armed_unmark(&folder);
	assert_null(read_back(root, &found));
	armed_deinit(&found);
	incident_close(&folder);
}

/* Each of these makes another one of it. */
static void test_same(void **state)
{
	struct made_root *root = *state;
	struct armed a, b;

	fill(root, &a);
	fill(root, &b);
	b.time_s = 1; /* but this */
	assert_true(armed_is_same(&a, &b));
	strcpy(b.with, "kdump-tools");
	assert_false(armed_is_same(&a, &b));
	strcpy(b.with, a.with);
	strcpy(b.machine.boot_id, "another");
	assert_false(armed_is_same(&a, &b));
	strcpy(b.machine.boot_id, a.machine.boot_id);
	strcpy(b.machine.cpus, "0-4");
	assert_false(armed_is_same(&a, &b));
	strcpy(b.machine.cpus, a.machine.cpus);
	b.machine.memory_kb++;
	assert_false(armed_is_same(&a, &b));
	b.machine.memory_kb--;
	strcpy(b.parameters, "panic=10");
	assert_false(armed_is_same(&a, &b));
	strcpy(b.parameters, a.parameters);
	strcpy(b.content, "0123");
	assert_false(armed_is_same(&a, &b));
	strcpy(b.content, a.content);
	b.inputs.data[0].sha256[0] ^= 1;
	assert_false(armed_is_same(&a, &b));
	armed_deinit(&a);
	armed_deinit(&b);
}

static void test_distrusted(void **state)
{
	struct made_root *root = *state;
	struct armed armed;

	make_root_text(root, STATE_FOLDER "/armed.json", "{\"schema\": \"lockdump.armed/9\"}");
	struct error *err = read_back(root, &armed);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "not lockdump.armed/1"));
	error_destroy(err);
	assert_int_equal(chmod(make_root_place(root, STATE_FOLDER), 0777), 0);
	err = read_back(root, &armed);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "not to be trusted"));
	error_destroy(err);
}

#define ARCHIVE_SIZE 4196

static int make_archive(struct made_root *root, char data[static ARCHIVE_SIZE])
{
	memset(data, 7, 4096);
	memset(data + 4096, 8, 100);
	make_root_write(root, "/archive", data, ARCHIVE_SIZE);
	return open(make_root_place(root, "/archive"), O_RDONLY);
}

static void assert_is(struct error *err, enum error_class class)
{
	assert_non_null(err);
	assert_int_equal(err->class, class);
	error_destroy(err);
}

static void test_found_in_memory(void **state)
{
	struct made_root *root = *state;
	char data[ARCHIVE_SIZE], sha256[SHA256_HEX_SIZE];
	uint64_t address;
	int fd = make_archive(root, data);

	make_crash_image(root, data, sizeof(data));
	assert_null(loaded_image_find(root->path, fd, &address));
	assert_int_equal(address, CRASH_SEGMENT);
	assert_null(sha256_of(fd, "archive", sha256));
	assert_null(loaded_image_check(root->path, address, sizeof(data), sha256));
	assert_is(loaded_image_check(root->path, address + 4096, sizeof(data), sha256),
		  ERROR_NOT_FOUND);
	assert_is(loaded_image_check(root->path, address, 2 * 4096 + 1, sha256), ERROR_NOT_FOUND);
	close(fd);
}

static void test_not_in_memory(void **state)
{
	struct made_root *root = *state;
	char data[ARCHIVE_SIZE], sha256[SHA256_HEX_SIZE];
	uint64_t address = 0;
	int fd = make_archive(root, data);

	assert_null(sha256_of(fd, "archive", sha256));
	data[ARCHIVE_SIZE - 1]++;
	make_crash_image(root, data, sizeof(data));
	assert_is(loaded_image_find(root->path, fd, &address), ERROR_NOT_FOUND);
	assert_is(loaded_image_check(root->path, CRASH_SEGMENT, sizeof(data), sha256),
		  ERROR_NOT_FOUND);
	/* What an image before has left is none of this one's. */
	data[ARCHIVE_SIZE - 1]--;
	make_crash_image(root, data, 0);
	assert_is(loaded_image_find(root->path, fd, &address), ERROR_NOT_FOUND);
	assert_is(loaded_image_check(root->path, CRASH_SEGMENT, 4096, sha256), ERROR_NOT_FOUND);
	/* Of which 'status' would say that somebody else has replaced it. */
	assert_int_equal(address, 0);
	close(fd);
}

static void test_no_telling(void **state)
{
	static const char *const files[] = { "/proc/kcore", "/sys/kernel/btf/vmlinux",
					     "/proc/kallsyms" };
	struct made_root *root = *state;
	char data[ARCHIVE_SIZE];
	int fd = make_archive(root, data);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		uint64_t address;
		make_crash_image(root, data, sizeof(data));
		make_root_unlink(root, files[i]);
		assert_is(loaded_image_find(root->path, fd, &address), ERROR_SYSTEM);
	}
	make_crash_image(root, data, sizeof(data));
	make_root_text(root, "/proc/kallsyms", "0000000000000000 B kexec_crash_image\n");
	uint64_t address;
	assert_is(loaded_image_find(root->path, fd, &address), ERROR_OTHER);
	make_crash_image(root, data, sizeof(data));
	make_root_text(root, "/proc/kcore", "");
	assert_is(loaded_image_find(root->path, fd, &address), ERROR_CORRUPT);
	close(fd);
}

#define ROOT_TEST(sentence, function) \
	TEST_WITH(sentence, function, make_root_setup, make_root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST("a machine is its kernel, its CPUs, its memory", test_machine),
		ROOT_TEST("what cannot be read of it is left empty", test_bare_machine),
		ROOT_TEST("what arm keeps is read back, and forgotten", test_kept),
		ROOT_TEST("of another's capture environment only its place is kept", test_hosted),
		ROOT_TEST("while what is loaded is being changed, what is kept is not believed",
			  test_marked),
		ROOT_TEST(
			"the same is the same files and parameters, in the same boot of the same machine",
			test_same),
		ROOT_TEST(
			"another version's state, or one that others may write to, is not believed",
			test_distrusted),
		ROOT_TEST("what is loaded is a segment of the crash kernel's",
			  test_found_in_memory),
		ROOT_TEST("what is another, or what an earlier one has left, is not",
			  test_not_in_memory),
		ROOT_TEST("where the kernel does not tell, that is another error", test_no_telling),
	};

	return RUN_TESTS(tests);
}
