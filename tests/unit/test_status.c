// SPDX-License-Identifier: GPL-2.0-only
/* What status finds on a rig that the test makes: armed as arm would, watched by a process that only holds the lock. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/preflight.h"
#include "capture/status.h"
#include "kdump/kdump_conf.h"
#include "kdump/kdump_tools.h"
#include "kdump/state_folder.h"
#include "make_armed.h"
#include "make_crash_image.h"
#include "make_root.h"

#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"
#define RELEASE "6.1.0-13"

struct fixture {
	struct made_root root;
	struct status status;
	pid_t watch;
};

#define ARCHIVE_SIZE 4196

static void fill_archive(char ret[static ARCHIVE_SIZE])
{
	memset(ret, 7, 4096);
	memset(ret + 4096, 8, 100);
}

/* 1 GB, with 64 KB for the crash kernel. */
static void make_machine(const struct made_root *root)
{
	make_root_text(root, "/proc/sys/kernel/osrelease", RELEASE "\n");
	make_root_text(root, "/proc/sys/kernel/random/boot_id", BOOT_ID "\n");
	make_root_text(root, "/proc/modules", "virtio 16384 0 - Live 0x0\n");
	make_root_text(root, "/lib/modules/" RELEASE "/modules.order", "");
	make_root_text(root, "/boot/vmlinuz-" RELEASE, "a kernel");
	make_root_text(root, "/sys/devices/system/cpu/present", "0-1\n");
	make_root_text(root, "/proc/iomem",
		       "00000000-3fffffff : System RAM\n"
		       "  30000000-3000ffff : Crash kernel\n");
	make_root_text(root, "/sys/kernel/kexec_crash_size", "65536\n");
	make_root_text(root, "/sys/kernel/kexec_crash_loaded", "1\n");
	make_root_text(root, "/store/lost+found", "");
}

static void arm_with(const struct made_root *root, const char *host, const char *recipients)
{
	struct armed armed = { .reserved_kb = 64 };
	char archive[ARCHIVE_SIZE], path[64];

	machine_read(root->path, &armed.machine);
	strcpy(armed.kernel_release, RELEASE);
	strcpy(armed.loaded_by, "kexec_file_load");
	strcpy(armed.store, "/store");
	strcpy(armed.with, host);
	strcpy(armed.recipients, recipients);
	/* As arm has them: not under the root. */
	snprintf(path, sizeof(path), "%s/program", root->path);
	make_root_text(root, "/program", "a program");
	assert_null(armed_add_file(&armed, path));
	memmove(armed.inputs.data[0].file, "/program", sizeof("/program"));
	fill_archive(archive);
	make_crash_image(root, archive, sizeof(archive));
	make_armed(root, archive, sizeof(archive), &armed);
	assert_int_equal(armed.loaded_at, CRASH_SEGMENT);
	armed_deinit(&armed);
}

static void arm(const struct made_root *root)
{
	arm_with(root, "builtin", "");
}

/* A process with the lock of a watch, and the command line of one. */
static void start_watch(struct fixture *fixture, const char *command_line, size_t size)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *path = make_root_place(&fixture->root, WATCH_LOCK);
	char file[64];
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	fixture->watch = fork();
	if (!fixture->watch) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		if (!fcntl(fd, F_SETLK, &lock) && write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(file, sizeof(file), "/proc/%d/cmdline", (int)fixture->watch);
	make_root_write(&fixture->root, file, command_line, size);
}

#define START(fixture, line) start_watch(fixture, line, sizeof(line))

static void end_watch(struct fixture *fixture)
{
	if (!fixture->watch)
		return;
	kill(fixture->watch, SIGKILL);
	waitpid(fixture->watch, NULL, 0);
	fixture->watch = 0;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	make_root(&fixture->root);
	make_machine(&fixture->root);
	arm(&fixture->root);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	end_watch(fixture);
	status_deinit(&fixture->status);
	make_root_remove(&fixture->root);
	free(fixture);
	return 0;
}

static void look(struct fixture *fixture)
{
	status_deinit(&fixture->status);
	status_look(fixture->root.path, true, &fixture->status);
}

static const struct finding *found(const struct fixture *fixture, const char *name)
{
	const struct findings *findings = &fixture->status.links.findings;

	for (size_t i = 0; i < findings->list.count; i++)
		if (!strcmp(findings->list.data[i].name, name))
			return &findings->list.data[i];
	return NULL;
}

/* @why: in what is said of it. */
static void assert_found(struct fixture *fixture, const char *name, enum finding_state state,
			 const char *why)
{
	look(fixture);
	const struct finding *finding = found(fixture, name);
	if (!finding)
		fail_msg("nothing is said of %s", name);
	if (finding->state != state)
		fail_msg("%s: %d: %s, %s", name, finding->state, finding->variant, finding->why);
	const char *said = state == FINDING_OK ? finding->variant : finding->why;
	if (why && (!said || !strstr(said, why)))
		fail_msg("%s: '%s' is not in '%s'", name, why, said);
}

static void test_armed(void **state)
{
	struct fixture *fixture = *state;

	START(fixture, "lockdump\0watch\0--trigger\0sysrq\0--store\0/store");
	assert_found(fixture, "crash kernel", FINDING_OK, RELEASE ", loaded by kexec_file_load");
	assert_found(fixture, "initramfs", FINDING_OK, "as it was loaded");
	assert_found(fixture, "CPUs", FINDING_OK, "0-1");
	assert_found(fixture, "memory", FINDING_OK, "1024 MB");
	assert_found(fixture, "kernel", FINDING_OK, RELEASE);
	assert_found(fixture, "store", FINDING_OK, "/store");
	assert_found(fixture, "trigger", FINDING_OK, "sysrq after 20 s, 0 of 3 crashes in 1 day");
	/* It has no record: a test cannot load one. */
	assert_found(fixture, "watch", FINDING_DEGRADED, "/sys/fs/bpf/lockdump");
	assert_null(found(fixture, "stores"));
	assert_int_equal(findings_count(&fixture->status.links.findings, FINDING_DEGRADED), 1);
	assert_int_equal(status_rig(&fixture->status), RIG_DEGRADED);
}

static void test_not_loaded(void **state)
{
	struct fixture *fixture = *state;

	make_root_text(&fixture->root, "/sys/kernel/kexec_crash_loaded", "0\n");
	assert_found(fixture, "crash kernel", FINDING_MISSING, "no crash kernel is loaded");
	assert_int_equal(status_rig(&fixture->status), RIG_NOT_ARMED);
	make_root_text(&fixture->root, "/proc/iomem", "00000000-3fffffff : System RAM\n");
	make_root_text(&fixture->root, "/sys/kernel/kexec_crash_size", "0\n");
	assert_found(fixture, "crash kernel", FINDING_MISSING, "no memory is reserved");
	assert_int_equal(status_rig(&fixture->status), RIG_NOT_ARMED);
}

static void test_foreign(void **state)
{
	struct fixture *fixture = *state;
	char archive[ARCHIVE_SIZE];

	fill_archive(archive);
	make_crash_image(&fixture->root, archive, 0);
	assert_found(fixture, "crash kernel", FINDING_DEGRADED, "another since");
	assert_int_equal(status_rig(&fixture->status), RIG_DEGRADED);

	make_root_text(&fixture->root, "/proc/sys/kernel/random/boot_id", "another\n");
	assert_found(fixture, "crash kernel", FINDING_DEGRADED, "in an earlier boot");
	armed_forget(fixture->root.path);
	assert_found(fixture, "crash kernel", FINDING_DEGRADED, "somebody else has loaded it");
}

static void test_encryption(void **state)
{
	struct fixture *fixture = *state;

	look(fixture);
	assert_null(found(fixture, "encryption"));
	make_root_text(&fixture->root, "/etc/lockdump/lockdump.conf",
		       "[Capture]\nEncryptTo=/etc/keys\n");
	assert_found(fixture, "encryption", FINDING_DEGRADED, "EncryptTo= was not there at arming");
	assert_int_equal(status_rig(&fixture->status), RIG_DEGRADED);
	arm_with(&fixture->root, "builtin", "/etc/keys");
	assert_found(fixture, "encryption", FINDING_OK, "to the keys in /etc/keys");
}

static void test_hosts(void **state)
{
	static const struct {
		const char *name, *file, *text, *elsewhere, *words;
	} hosts[] = {
		{ "kdump-tools", KDUMP_TOOLS_FILE, "USE_KDUMP=1\nKDUMP_COREDIR=/store\n",
		  "USE_KDUMP=1\nSSH=me@host\n", "SSH me@host" },
		{ "kdump-utils", KDUMP_CONF_FILE, "path /store\n", "ssh me@host\n",
		  "ssh me@host:/var/crash" },
	};
	struct fixture *fixture = *state;
	const struct made_root *root = &fixture->root;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		arm_with(root, hosts[i].name, "");
		make_root_text(root, hosts[i].file, hosts[i].text);
		/* Without that lockdump has nothing to do there. */
		assert_found(fixture, hosts[i].name, FINDING_MISSING, ARMED_CONFIG);
		make_root_text(root, STATE_FOLDER "/" ARMED_CONFIG, "[capture]\n");
		assert_found(fixture, hosts[i].name, FINDING_OK, "saves the vmcore to /store");
		make_root_text(root, hosts[i].file, hosts[i].elsewhere);
		assert_found(fixture, hosts[i].name, FINDING_OK, hosts[i].words);
		make_root_unlink(root, hosts[i].file);
		assert_found(fixture, hosts[i].name, FINDING_MISSING, hosts[i].file);
		armed_forget(root->path);
	}
	arm(root);
	look(fixture);
	assert_null(found(fixture, "builtin"));
}

static void test_initramfs(void **state)
{
	struct fixture *fixture = *state;

	make_root_text(&fixture->root, "/program", "a newer one");
	assert_found(fixture, "initramfs", FINDING_DEGRADED, "/program has changed since");
	make_root_unlink(&fixture->root, "/program");
	assert_found(fixture, "initramfs", FINDING_DEGRADED, "/program has gone since");
	make_root_text(&fixture->root, STATE_FOLDER "/" ARMED_INITRAMFS, "garbage");
	assert_found(fixture, "initramfs", FINDING_MISSING, "is damaged");
}

static void test_hotplug(void **state)
{
	struct fixture *fixture = *state;
	const struct made_root *root = &fixture->root;

	make_root_text(root, "/sys/devices/system/cpu/present", "0-3\n");
	assert_found(fixture, "CPUs", FINDING_DEGRADED, "does not tell");
	make_root_text(root, "/sys/devices/system/cpu/crash_hotplug", "0\n");
	assert_found(fixture, "CPUs", FINDING_DEGRADED, "does not tell");
	make_root_text(root, "/sys/devices/system/cpu/crash_hotplug", "1\n");
	assert_found(fixture, "CPUs", FINDING_OK, "0-3; at arming 0-1");
	make_root_text(root, "/proc/iomem",
		       "00000000-3fffffff : System RAM\n"
		       "  30000000-3000ffff : Crash kernel\n"
		       "100000000-13fffffff : System RAM\n");
	assert_found(fixture, "memory", FINDING_DEGRADED, "does not tell");
	assert_string_equal(found(fixture, "memory")->variant, "2048 MB, at arming 1024 MB");
}

static void test_upgrade(void **state)
{
	struct fixture *fixture = *state;
	const struct made_root *root = &fixture->root;

	sleep(1); /* what came in the same second was there before */
	make_root_text(root, "/boot/vmlinuz-6.1.0-18", "another kernel");
	assert_found(fixture, "kernel", FINDING_DEGRADED, "/boot/vmlinuz-6.1.0-18 came");
	make_root_unlink(root, "/boot/vmlinuz-6.1.0-18");
	assert_found(fixture, "kernel", FINDING_OK, RELEASE);
	make_root_unlink(root, "/lib/modules/" RELEASE "/modules.order");
	assert_int_equal(rmdir(make_root_place(root, "/lib/modules/" RELEASE)), 0);
	assert_found(fixture, "kernel", FINDING_DEGRADED, "have gone");
	make_root_text(root, "/proc/modules", "");
	assert_found(fixture, "kernel", FINDING_OK, RELEASE);
}

static void test_store(void **state)
{
	struct fixture *fixture = *state;

	make_root_unlink(&fixture->root, "/store/lost+found");
	assert_int_equal(rmdir(make_root_place(&fixture->root, "/store")), 0);
	assert_found(fixture, "store", FINDING_MISSING, "No such file");
	assert_int_equal(status_rig(&fixture->status), RIG_DEGRADED);
}

static void test_watch(void **state)
{
	struct fixture *fixture = *state;

	assert_found(fixture, "watch", FINDING_MISSING, "no 'lockdump watch' runs");
	assert_null(found(fixture, "trigger"));
	START(fixture, "lockdump\0watch\0--store\0/store");
	assert_found(fixture, "trigger", FINDING_DEGRADED, "started so");
	end_watch(fixture);
	assert_found(fixture, "watch", FINDING_MISSING, NULL);
	START(fixture, "lockdump\0watch\0--store\0/elsewhere\0--trigger\0auto");
	assert_found(fixture, "stores", FINDING_DEGRADED, "watch stores in /elsewhere");
}

static void test_used_up(void **state)
{
	static const char by_sysrq[] =
		"{\"schema\": \"lockdump.manifest/1\", \"times\": {\"trigger\": 4102444800}, \"trigger\": {\"by\": \"sysrq\"}}";
	struct fixture *fixture = *state;

	START(fixture, "lockdump\0watch\0--trigger=sysrq\0--store=/store\0--max-triggers=1/2");
	assert_found(fixture, "trigger", FINDING_OK, "0 of 1 crashes in 2 days");
	make_root_text(&fixture->root, "/store/20260101T000000Z-0123abcd/manifest.json", by_sysrq);
	assert_found(fixture, "trigger", FINDING_DEGRADED, "used up");
}

static void test_last_incident(void **state)
{
	static const char manifest[] =
		"{\"schema\": \"lockdump.manifest/1\", \"complete\": true, \"drill\": true}";
	struct fixture *fixture = *state;

	look(fixture);
	assert_null(found(fixture, "last incident"));
	make_root_text(&fixture->root, "/store/20260101T000000Z-0123abcd/record.bin", "");
	assert_found(fixture, "last incident", FINDING_OK,
		     "20260101T000000Z-0123abcd: nothing is known of it; vmcore none");
	make_root_text(&fixture->root, "/store/20260102T000000Z-0123abcd/manifest.json", manifest);
	assert_found(fixture, "last incident", FINDING_OK, "20260102T000000Z-0123abcd: a drill");
}

static void test_drill(void **state)
{
	struct fixture *fixture = *state;
	struct drill drill = { .boot_id = BOOT_ID, .release = RELEASE };

	assert_found(fixture, "last drill", FINDING_UNKNOWN, "there was none");
	assert_null(drill_begin(fixture->root.path, &drill));
	assert_found(fixture, "last drill", FINDING_DEGRADED, "did not");
}

static void test_user(void **state)
{
	struct fixture *fixture = *state;

	status_look(fixture->root.path, false, &fixture->status);
	assert_int_equal(found(fixture, "crash kernel")->state, FINDING_UNKNOWN);
	assert_int_equal(found(fixture, "last drill")->state, FINDING_UNKNOWN);
	assert_int_equal(status_rig(&fixture->status), RIG_DEGRADED);
}

static struct json_object *print_json(const struct status *status)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert_null(status_print_json(status, file));
	fclose(file);
	struct json_object *json = json_tokener_parse(text);
	assert_non_null(json);
	free(text);
	return json;
}

static void assert_has(struct json_object *object, const char *const *names)
{
	size_t count = 0;

	for (; names[count]; count++)
		if (!json_object_object_get_ex(object, names[count], NULL))
			fail_msg("no member %s", names[count]);
	assert_int_equal(json_object_object_length(object), count);
}

/* Whatever there is to tell, all members are there. */
static void test_json(void **state)
{
	static const char *const all[] = { "schema", "state", "kernel",	       "crash_kernel",
					   "store",  "watch", "last_incident", "drill",
					   "items",  NULL };
	static const char *const crash_kernel[] = { "loaded",	    "ours",	 "reserved_kb",
						    "kernel",	    "loaded_by", "armed_at",
						    "makedumpfile", NULL };
	struct fixture *fixture = *state;

	for (int armed = 1; armed >= 0; armed--) {
		look(fixture);
		struct json_object *json = print_json(&fixture->status);
		assert_has(json, all);
		assert_has(json_object_object_get(json, "crash_kernel"), crash_kernel);
		assert_int_equal(json_object_get_boolean(json_object_object_get(
					 json_object_object_get(json, "crash_kernel"), "ours")),
				 armed);
		assert_string_equal(json_object_get_string(json_object_object_get(json, "state")),
				    armed ? "degraded" : "not armed");
		json_object_put(json);
		armed_forget(fixture->root.path);
		make_root_text(&fixture->root, "/sys/kernel/kexec_crash_loaded", "0\n");
	}
}

#define ROOT_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST("of an armed rig all is ok", test_armed),
		ROOT_TEST("without a crash kernel, or memory for one, it is not armed",
			  test_not_loaded),
		ROOT_TEST("a crash kernel that somebody else has loaded is noticed", test_foreign),
		ROOT_TEST("so is an initramfs that is damaged, or older than its inputs",
			  test_initramfs),
		ROOT_TEST("so is one that does not encrypt, though it should", test_encryption),
		ROOT_TEST(
			"where another saves the vmcore it is said where to, if lockdump has its part in it",
			test_hosts),
		ROOT_TEST("CPUs and memory that came, unless the kernel keeps up", test_hotplug),
		ROOT_TEST("another kernel since, and modules that have gone", test_upgrade),
		ROOT_TEST("a store that is not there", test_store),
		ROOT_TEST("no watch, one that does not trigger, one with another store",
			  test_watch),
		ROOT_TEST("triggers that are used up", test_used_up),
		ROOT_TEST("the last incident is named", test_last_incident),
		ROOT_TEST("a drill that did not take place", test_drill),
		ROOT_TEST("users are told what only root can see", test_user),
		ROOT_TEST("the JSON has all members, whatever there is to tell", test_json),
	};

	return RUN_TESTS(tests);
}
