// SPDX-License-Identifier: GPL-2.0-only
/* Loading a capture kernel, with a kexec that does as it is told: what the state folder says afterwards is so. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kdump/kexec.h"
#include "kdump/loading.h"
#include "kdump/state_folder.h"
#include "make_crash_image.h"
#include "make_dump.h"
#include "make_root.h"

#define ARCHIVE_MAX 8192

struct fixture {
	struct made_root root;
	struct initramfs plan;
	char archive[ARCHIVE_MAX]; /* of the plan */
	size_t size;
	struct armed armed;
	struct loading loading;
};

/* $KEXEC: words that say what to do; what it was called with goes to $ROOT/calls. */
static const char kexec[] =
	"#!/bin/sh\n"
	"loaded=$ROOT/sys/kernel/kexec_crash_loaded\n"
	"echo \"$*\" >>$ROOT/calls\n"
	"for word in $KEXEC; do\n"
	"	case $word in\n"
	"	drops) echo 0 >$loaded ;;\n"
	"	hangs) touch $ROOT/hangs; exec sleep 60 ;;\n"
	"	refuses) echo 'kexec_file_load failed: Operation not permitted' >&2; exit 255 ;;\n"
	"	refuses-file) case \"$*\" in *' -s '*)\n"
	"		echo 'kexec_file_load failed: Function not implemented' >&2; exit 255 ;; esac ;;\n"
	"	esac\n"
	"done\n"
	"cat ${3#--initrd=} >$ROOT/given\n"
	"echo 1 >$loaded\n";

static void tell_kexec(const char *what)
{
	setenv("KEXEC", what, 1);
}

static void make_plan(struct fixture *fixture, const char *content)
{
	struct initramfs *plan = &fixture->plan;

	initramfs_deinit(plan);
	struct initramfs_entry *entry = vector_push(&plan->entries);
	*entry = (struct initramfs_entry){ .path = strdup("etc"), .mode = 040755, .fd = -1 };
	entry = vector_push(&plan->entries);
	*entry = (struct initramfs_entry){ .path = strdup("etc/text"),
					   .mode = 0100644,
					   .fd = memfd_create("text", 0) };
	entry->size = strlen(content);
	assert_int_equal(write(entry->fd, content, entry->size), entry->size);
	snprintf(plan->content, sizeof(plan->content), "digest of %s", content);
	FILE *file = fmemopen(fixture->archive, ARCHIVE_MAX, "w");
	assert_null(initramfs_write(plan, file));
	fixture->size = plan->size = ftell(file);
	fclose(file);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *path;
	char value[128];

	make_root(&fixture->root);
	make_root_text(&fixture->root, "/bin/kexec", kexec);
	path = make_root_place(&fixture->root, "/bin/kexec");
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(value, sizeof(value), "%s/bin:/usr/bin:/bin", fixture->root.path);
	setenv("PATH", value, 1);
	setenv("ROOT", fixture->root.path, 1);
	make_root_text(&fixture->root, "/sys/kernel/kexec_crash_loaded", "0\n");
	make_plan(fixture, "first");
	strcpy(fixture->armed.machine.boot_id, "0123");
	strcpy(fixture->armed.kernel_file, "/boot/vmlinuz");
	strcpy(fixture->armed.parameters, "panic=10");
	tell_kexec("");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	initramfs_deinit(&fixture->plan);
	armed_deinit(&fixture->armed);
	make_root_remove(&fixture->root);
	free(fixture);
	return 0;
}

static struct error *load(struct fixture *fixture)
{
	/* What is in memory then; kexec cannot bring it there. */
	make_crash_image(&fixture->root, fixture->archive, fixture->size);
	return loading_run(fixture->root.path, &fixture->plan, &fixture->armed, &fixture->loading);
}

static void load_well(struct fixture *fixture, bool made, bool loaded)
{
	struct error *err = load(fixture);

	if (err)
		fail_msg("%s", err->message);
	assert_int_equal(fixture->loading.made, made);
	assert_int_equal(fixture->loading.loaded, loaded);
}

static struct error *read_state(const struct fixture *fixture, struct armed *ret)
{
	struct incident folder;
	struct error *err = state_folder_open(fixture->root.path, &folder);

	assert_null(err);
	err = armed_read(&folder, ret);
	incident_close(&folder);
	return err;
}

/* What is kept is the plan's, and nothing half-done is beside it. */
static void assert_kept(const struct fixture *fixture)
{
	struct armed armed;
	char kept[ARCHIVE_MAX];
	struct stat st;

	assert_null(read_state(fixture, &armed));
	assert_string_equal(armed.content, fixture->plan.content);
	assert_string_equal(armed.parameters, fixture->armed.parameters);
	assert_int_equal(armed.loaded_at, CRASH_SEGMENT);
	assert_int_equal(armed.initramfs_size, fixture->size);
	assert_true(armed.time_s > 1.7e9);
	int fd = open(make_root_place(&fixture->root, STATE_FOLDER "/" ARMED_INITRAMFS), O_RDONLY);
	assert_int_equal(read(fd, kept, sizeof(kept)), fixture->size);
	assert_memory_equal(kept, fixture->archive, fixture->size);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(fd);
	assert_int_equal(access(make_root_place(&fixture->root,
						STATE_FOLDER "/" ARMED_INITRAMFS ".incomplete"),
				F_OK),
			 -1);
	armed_deinit(&armed);
}

static void assert_not_believed(const struct fixture *fixture, const char *why)
{
	struct armed armed;
	struct error *err = read_state(fixture, &armed);

	assert_non_null(err);
	if (!strstr(err->message, why))
		fail_msg("%s", err->message);
	error_destroy(err);
}

static size_t count_calls(const struct fixture *fixture)
{
	FILE *file = fopen(make_root_place(&fixture->root, "/calls"), "r");
	size_t count = 0;

	for (int c; file && (c = getc(file)) != EOF;)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

static void test_first(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	assert_string_equal(fixture->armed.loaded_by, "kexec_file_load");
	assert_kept(fixture);
	char given[ARCHIVE_MAX];
	int fd = open(make_root_place(&fixture->root, "/given"), O_RDONLY);
	assert_int_equal(read(fd, given, sizeof(given)), fixture->size);
	assert_memory_equal(given, fixture->archive, fixture->size);
	close(fd);
}

static void test_again(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	for (int i = 0; i < 3; i++) {
		fixture->armed.loaded_by[0] = '\0';
		load_well(fixture, false, false);
		assert_string_equal(fixture->armed.loaded_by, "kexec_file_load");
	}
	assert_int_equal(count_calls(fixture), 1);
	assert_kept(fixture);
}

static void test_loaded_again(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	make_root_text(&fixture->root, "/sys/kernel/kexec_crash_loaded", "0\n");
	load_well(fixture, false, true);
	strcpy(fixture->armed.machine.boot_id, "4567");
	load_well(fixture, false, true);
	strcpy(fixture->armed.parameters, "panic=20");
	load_well(fixture, false, true);
	assert_int_equal(count_calls(fixture), 4);
	assert_kept(fixture);
	/* Somebody else's is in memory. */
	make_crash_image(&fixture->root, "another", 7);
	assert_null(loading_run(fixture->root.path, &fixture->plan, &fixture->armed,
				&fixture->loading));
	assert_true(fixture->loading.loaded);
}

static void test_made_again(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	make_plan(fixture, "second");
	load_well(fixture, true, true);
	assert_kept(fixture);
	make_root_text(&fixture->root, STATE_FOLDER "/" ARMED_INITRAMFS, "damaged");
	load_well(fixture, true, true);
	assert_kept(fixture);
	make_root_unlink(&fixture->root, STATE_FOLDER "/armed.json");
	load_well(fixture, true, true);
	assert_kept(fixture);
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;
	char first[ARCHIVE_MAX];
	struct armed armed;

	load_well(fixture, true, true);
	memcpy(first, fixture->archive, sizeof(first));
	size_t size = fixture->size;
	make_plan(fixture, "second");
	tell_kexec("refuses");
	make_crash_image(&fixture->root, first, size);
	struct error *err =
		loading_run(fixture->root.path, &fixture->plan, &fixture->armed, &fixture->loading);
	assert_non_null(err);
	assert_string_equal(
		err->message,
		"crash kernel /boot/vmlinuz: Operation not permitted (kexec_file_load); "
		"Operation not permitted (kexec_load)");
	error_destroy(err);
	/* The first one is still loaded, and said to be. */
	assert_null(read_state(fixture, &armed));
	assert_string_equal(armed.content, "digest of first");
	armed_deinit(&armed);
	tell_kexec("drops refuses");
	error_destroy(load(fixture));
	/* Nothing is: then that was made once, and need not be again. */
	assert_null(read_state(fixture, &armed));
	assert_string_equal(armed.content, "digest of first");
	armed_deinit(&armed);
	tell_kexec("");
	make_plan(fixture, "first");
	load_well(fixture, false, true);
	assert_kept(fixture);
}

static void test_refused_replaced(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	make_plan(fixture, "second");
	tell_kexec("refuses");
	make_crash_image(&fixture->root, "another", 7);
	error_destroy(loading_run(fixture->root.path, &fixture->plan, &fixture->armed,
				  &fixture->loading));
	assert_not_believed(fixture, "not there");
}

static void test_after_host(void **state)
{
	struct fixture *fixture = *state;
	static const char config[] = STATE_FOLDER "/" ARMED_CONFIG;
	struct incident folder;

	assert_null(state_folder_make(fixture->root.path, &folder));
	incident_close(&folder);
	make_root_text(&fixture->root, config, "[capture]\n");
	tell_kexec("refuses");
	error_destroy(load(fixture));
	assert_int_equal(access(make_root_place(&fixture->root, config), F_OK), 0);
	tell_kexec("");
	load_well(fixture, true, true);
	assert_int_equal(access(make_root_place(&fixture->root, config), F_OK), -1);
}

static void test_fall_back(void **state)
{
	struct fixture *fixture = *state;

	tell_kexec("refuses-file");
	load_well(fixture, true, true);
	assert_string_equal(fixture->armed.loaded_by, "kexec_load");
	assert_kept(fixture);
}

static void assert_refusal(struct fixture *fixture, const char *wanted)
{
	struct error *err = load(fixture);

	assert_non_null(err);
	assert_null(strchr(err->message, '\n'));
	if (!strstr(err->message, wanted))
		fail_msg("%s", err->message);
	error_destroy(err);
}

static void test_reasons(void **state)
{
	struct fixture *fixture = *state;

	tell_kexec("refuses");
	make_root_text(&fixture->root, "/sys/kernel/security/lockdown",
		       "[none] integrity confidentiality\n");
	assert_refusal(fixture, "Operation not permitted (kexec_load)");
	make_root_text(&fixture->root, "/sys/kernel/security/lockdown",
		       "none [integrity] confidentiality\n");
	assert_refusal(fixture, "locked down (integrity) and takes only one that is signed");
	make_root_text(&fixture->root, "/proc/sys/kernel/kexec_load_disabled", "1\n");
	assert_refusal(fixture, "kernel.kexec_load_disabled is set, which only a reboot undoes");
	assert_not_believed(fixture, "not there");
}

/* A process that is in the middle of it. */
static pid_t start(struct fixture *fixture)
{
	pid_t pid = fork();

	if (!pid) {
		error_destroy(load(fixture));
		_exit(0);
	}
	while (access(make_root_place(&fixture->root, "/hangs"), F_OK))
		usleep(10000);
	return pid;
}

static void test_killed(void **state)
{
	struct fixture *fixture = *state;

	load_well(fixture, true, true);
	make_plan(fixture, "second");
	tell_kexec("hangs");
	pid_t pid = start(fixture);
	assert_not_believed(fixture, "'lockdump arm' was interrupted, or is at work");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_not_believed(fixture, "'lockdump arm' was interrupted, or is at work");
	tell_kexec("");
	load_well(fixture, true, true);
	assert_kept(fixture);
}

static void test_two(void **state)
{
	struct fixture *fixture = *state;

	tell_kexec("hangs");
	pid_t pid = start(fixture);
	tell_kexec("");
	struct error *err = load(fixture);
	assert_non_null(err);
	assert_string_equal(err->message, "another 'lockdump arm' is at work; wait for it");
	error_destroy(err);
	assert_int_equal(count_calls(fixture), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_interrupted(void **state)
{
	struct fixture *fixture = *state;
	sigset_t held;

	load_well(fixture, true, true);
	make_plan(fixture, "second");
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_BLOCK, &held, NULL);
	raise(SIGTERM);
	assert_refusal(fixture, "interrupted, nothing was loaded");
	assert_int_equal(count_calls(fixture), 1);
	signal(SIGTERM, SIG_IGN); /* takes it away */
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &held, NULL);
}

static void test_no_room(void **state)
{
	struct fixture *fixture = *state;
	char path[128], text[4096];

	snprintf(path, sizeof(path), "%s", make_root_place(&fixture->root, STATE_FOLDER));
	mkdir(path, 0700);
	if (mount("tmpfs", path, "tmpfs", 0, "size=4k,mode=700"))
		SKIP("a small tmpfs cannot be mounted");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	make_plan(fixture, text);
	load_well(fixture, true, true);
	assert_int_equal(count_calls(fixture), 1);
	assert_string_equal(fixture->armed.loaded_by, "kexec_file_load");
	assert_not_believed(fixture, "not there");
	assert_int_equal(access(make_root_place(&fixture->root,
						STATE_FOLDER "/" ARMED_INITRAMFS ".incomplete"),
				F_OK),
			 -1);
	umount2(path, MNT_DETACH);
}

static void test_no_image(void **state)
{
	const struct fixture *fixture = *state;
	char release[72];
	const char *path = make_root_place(&fixture->root, "/vmlinuz-6.1.0");

	assert_error(kexec_image_release(path, release), ERROR_NOT_FOUND, "--kernel");
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(60);
	assert_error(kexec_image_release(path, release), ERROR_OTHER, "not a regular file");
	alarm(0);
	assert_int_equal(unlink(path), 0);
	make_root_text(&fixture->root, "/vmlinuz-6.1.0", "no bzImage");
	assert_null(
		kexec_image_release(make_root_place(&fixture->root, "/vmlinuz-6.1.0"), release));
	assert_string_equal(release, "6.1.0");
	make_root_text(&fixture->root, "/kernel", "none at all");
	assert_error(kexec_image_release(make_root_place(&fixture->root, "/kernel"), release),
		     ERROR_OTHER, "not a kernel image");
}

#define LOADING_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOADING_TEST("what is loaded is kept, with all that is said of it", test_first),
		LOADING_TEST("the same again is neither made nor loaded", test_again),
		LOADING_TEST(
			"it is loaded again, but not made, if that one is not loaded, in another "
			"boot, or with other parameters",
			test_loaded_again),
		LOADING_TEST(
			"it is made again of other files, and if what is kept is damaged or gone",
			test_made_again),
		LOADING_TEST("if kexec refuses, what is kept stays, as far as it is so",
			     test_refused),
		LOADING_TEST("and it does not if another is loaded by then", test_refused_replaced),
		LOADING_TEST("once it is loaded nobody else's environment is told what to do",
			     test_after_host),
		LOADING_TEST("without kexec_file_load there is kexec_load", test_fall_back),
		LOADING_TEST("lockdown and kexec_load_disabled are named, in one line",
			     test_reasons),
		LOADING_TEST("an arm that is killed leaves word that it was", test_killed),
		LOADING_TEST("only one at a time", test_two),
		LOADING_TEST("a kernel is a file; its name tells if the image does not",
			     test_no_image),
		LOADING_TEST("one that is interrupted before kexec loads nothing",
			     test_interrupted),
		LOADING_TEST(
			"without room it is loaded from memory, and nothing is said to be kept",
			test_no_room),
	};

	return RUN_TESTS(tests);
}
