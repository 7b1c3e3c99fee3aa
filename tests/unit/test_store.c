// SPDX-License-Identifier: GPL-2.0-only
/* The store: IDs, clashes, and files that are whole or not there. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/store.h"

#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"
#define ONSET	1767225600 /* 2026-01-01 00:00:00 UTC */
#define ID	"20260101T000000Z-0123abcd"

struct fixture {
	char store[64];
	struct incident incident;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->store, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->store))
		return -1;
	fixture->incident.dirfd = -1;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	incident_close(&fixture->incident);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->store);
	int ret = system(command);
	free(fixture);
	return ret;
}

static void create(struct fixture *fixture)
{
	assert_null(incident_create(fixture->store, ONSET, BOOT_ID, &fixture->incident));
}

static char *file_in(const struct fixture *fixture, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", fixture->store, fixture->incident.id, name);
	return path;
}

static void assert_content(const char *path, const char *wanted)
{
	char buffer[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, buffer, sizeof(buffer) - 1) >= 0);
	assert_string_equal(buffer, wanted);
	close(fd);
}

static void assert_fails(struct error *err, const char *with)
{
	assert_non_null(err);
	assert_non_null(strstr(err->message, with));
	error_destroy(err);
}

static size_t files_in(const struct fixture *fixture)
{
	size_t count = 0;
	DIR *dir = opendir(file_in(fixture, "."));

	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void test_id(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	create(fixture);
	assert_string_equal(fixture->incident.id, ID);
	assert_return_code(stat(file_in(fixture, "."), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_boot(void **state)
{
	(void)state;
	assert_true(incident_id_is_of_boot(ID, BOOT_ID));
	assert_true(incident_id_is_of_boot(ID "-2", BOOT_ID));
	assert_false(incident_id_is_of_boot(ID, "0123abce-4567-89ab-cdef-0123456789ab"));
	assert_false(incident_id_is_of_boot(ID, "0123abc"));
	assert_false(incident_id_is_of_boot("x-0123abcd", BOOT_ID));
}

static void test_clash(void **state)
{
	struct fixture *fixture = *state;

	create(fixture);
	for (int n = 2; n <= 11; n++) {
		struct incident other;
		char wanted[64];
		snprintf(wanted, sizeof(wanted), ID "-%d", n);
		assert_null(incident_create(fixture->store, ONSET, BOOT_ID, &other));
		assert_string_equal(other.id, wanted);
		incident_close(&other);
		assert_null(incident_open(fixture->store, wanted, &other));
		incident_close(&other);
	}
}

static void test_bad_ids(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"..",
		"../" ID,
		ID "/..",
		"/etc",
		"20260101T000000Z",
		"20260101T000000Z-0123abc",
		"20260101T000000Z-0123abcg",
		"20260101T000000Z-0123abcd0",
		ID "-",
		ID "-x",
		ID "-2/..",
		ID "-11111111111111111111111111111111",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_fails(incident_open(fixture->store, bad[i], &fixture->incident),
			     "no incident's id");
		assert_fails(incident_make(fixture->store, bad[i], &fixture->incident),
			     "no incident's id");
	}
	assert_fails(incident_create(fixture->store, ONSET, "../../..", &fixture->incident),
		     "boot id");
	fixture->incident.dirfd = -1;
}

static void test_make(void **state)
{
	struct fixture *fixture = *state;
	struct incident again;

	assert_null(incident_make(fixture->store, ID "-7", &fixture->incident));
	assert_string_equal(fixture->incident.id, ID "-7");
	assert_fails(incident_make(fixture->store, ID "-7", &again), "File exists");
}

static void test_symlinked_folder(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->store, ID);
	assert_return_code(symlink("/tmp", path), errno);
	assert_fails(incident_open(fixture->store, ID, &fixture->incident), ID);
	fixture->incident.dirfd = -1;
	/* Nor is it taken for the new one. */
	create(fixture);
	assert_string_equal(fixture->incident.id, ID "-2");
}

static void test_write(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	create(fixture);
	umask(0);
	assert_null(incident_write(&fixture->incident, "a", "first", 5));
	assert_null(incident_write(&fixture->incident, "a", "second", 6));
	umask(022);
	assert_content(file_in(fixture, "a"), "second");
	assert_return_code(stat(file_in(fixture, "a"), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(files_in(fixture), 1);
}

static void test_symlinked_file(void **state)
{
	struct fixture *fixture = *state;
	char outside[128];

	create(fixture);
	snprintf(outside, sizeof(outside), "%s/outside", fixture->store);
	int fd = open(outside, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_return_code(symlink(outside, file_in(fixture, "a")), errno);
	assert_return_code(symlink(outside, file_in(fixture, "a.incomplete")), errno);
	assert_null(incident_write(&fixture->incident, "a", "new", 3));
	assert_content(file_in(fixture, "a"), "new");
	assert_content(outside, "mine");
	/* Nor does a finished file get its name by way of one. */
	assert_return_code(symlink(outside, file_in(fixture, "b.incomplete")), errno);
	assert_fails(incident_rename(&fixture->incident, "b.incomplete", "b"), "b.incomplete");
	assert_false(incident_has(&fixture->incident, "b"));
}

static void test_stream(void **state)
{
	struct fixture *fixture = *state;
	FILE *file;

	create(fixture);
	assert_null(incident_open_file(&fixture->incident, "a", &file));
	fprintf(file, "text");
	assert_false(incident_has(&fixture->incident, "a"));
	assert_true(incident_has(&fixture->incident, "a.incomplete"));
	assert_null(incident_close_file(&fixture->incident, "a", file, NULL));
	assert_content(file_in(fixture, "a"), "text");
	assert_int_equal(files_in(fixture), 1);
}

static void test_stream_with_error(void **state)
{
	struct fixture *fixture = *state;
	FILE *file = NULL;

	create(fixture);
	assert_null(incident_open_file(&fixture->incident, "a", &file));
	fprintf(file, "half");
	assert_fails(incident_close_file(&fixture->incident, "a", file,
					 error_create(ERROR_OTHER, "it died")),
		     "it died");
	assert_content(file_in(fixture, "a.incomplete"), "half");
	/* Nothing is worth nothing. */
	assert_null(incident_open_file(&fixture->incident, "b", &file));
	assert_fails(incident_close_file(&fixture->incident, "b", file,
					 error_create(ERROR_OTHER, "it died")),
		     "it died");
	assert_int_equal(files_in(fixture), 1);
	assert_null(incident_close_file(&fixture->incident, "c", NULL, NULL));
}

static void test_full(void **state)
{
	struct fixture *fixture = *state;
	static char data[256 * 1024];
	FILE *file;

	if (mount("tmpfs", fixture->store, "tmpfs", 0, "size=64k,mode=700")) {
		print_message("skipped: a small tmpfs cannot be mounted: %s\n", strerror(errno));
		skip();
	}
	create(fixture);
	assert_null(incident_write(&fixture->incident, "a", "old", 3));
	assert_fails(incident_write(&fixture->incident, "a", data, sizeof(data)),
		     "No space left on device");
	assert_content(file_in(fixture, "a"), "old");
	assert_int_equal(files_in(fixture), 1);

	assert_null(incident_open_file(&fixture->incident, "b", &file));
	fwrite(data, 1, sizeof(data), file);
	assert_fails(incident_close_file(&fixture->incident, "b", file, NULL), "b");
	assert_false(incident_has(&fixture->incident, "b"));
	assert_true(incident_has(&fixture->incident, "b.incomplete"));
	incident_close(&fixture->incident);
	umount2(fixture->store, MNT_DETACH);
}

/* In a folder that is another's something may take the place of what was staged: no writer must wait for a FIFO's end. */
static void test_no_file(void **state)
{
	static const char *const names[] = { "a" };
	struct fixture *fixture = *state;

	create(fixture);
	assert_int_equal(mkfifo(file_in(fixture, "a.incomplete"), 0600), 0);
	alarm(60);
	assert_fails(incident_publish(&fixture->incident, names, 1), "a.incomplete");
	assert_fails(incident_rename(&fixture->incident, "a.incomplete", "b"), "a.incomplete");
	assert_int_equal(unlink(file_in(fixture, "a.incomplete")), 0);
	assert_int_equal(symlink("/dev/tty", file_in(fixture, "a.incomplete")), 0);
	assert_fails(incident_publish(&fixture->incident, names, 1), "a.incomplete");
	alarm(0);
	assert_int_equal(files_in(fixture), 1);
}

static void test_ours(void **state)
{
	struct fixture *fixture = *state;
	struct incident opened;

	create(fixture);
	assert_true(incident_is_ours(&fixture->incident));
	assert_int_equal(fchmod(fixture->incident.dirfd, 0770), 0);
	assert_false(incident_is_ours(&fixture->incident));
	if (geteuid())
		return;
	assert_int_equal(fchmod(fixture->incident.dirfd, 0700), 0);
	assert_int_equal(fchown(fixture->incident.dirfd, 1, 1), 0);
	assert_false(incident_is_ours(&fixture->incident));
	assert_fails(incident_open_ours(fixture->store, fixture->incident.id, &opened),
		     fixture->incident.id);
	/* To nobody else it is theirs what is root's. */
	assert_int_equal(fchown(fixture->incident.dirfd, 0, 0), 0);
	assert_int_equal(seteuid(1), 0);
	bool ours = incident_is_ours(&fixture->incident);
	assert_int_equal(seteuid(0), 0);
	assert_true(ours);
}

static void test_room(void **state)
{
	const struct fixture *fixture = *state;

	assert_true(store_room(fixture->store) > 0);
	assert_true(store_room("/nowhere") == 0);
}

static void test_no_store(void **state)
{
	struct fixture *fixture = *state;

	assert_fails(incident_create("/nowhere", ONSET, BOOT_ID, &fixture->incident), "/nowhere");
	fixture->incident.dirfd = -1;
}

static void test_staged(void **state)
{
	struct fixture *fixture = *state;
	const char *const names[] = { "a", "b" }, *const missing[] = { "c", "absent" };

	create(fixture);
	assert_null(incident_stage(&fixture->incident, "a", "one", 3));
	assert_null(incident_stage(&fixture->incident, "b", "two", 3));
	assert_null(incident_stage(&fixture->incident, "c", "three", 5));
	assert_false(incident_has(&fixture->incident, "a"));
	assert_null(incident_publish(&fixture->incident, names, 2));
	assert_content(file_in(fixture, "a"), "one");
	assert_content(file_in(fixture, "b"), "two");
	assert_fails(incident_publish(&fixture->incident, missing, 2), "absent.incomplete");
	assert_false(incident_has(&fixture->incident, "c"));
	assert_content(file_in(fixture, "c.incomplete"), "three");
	assert_int_equal(files_in(fixture), 3);
}

static void test_folder(void **state)
{
	struct fixture *fixture = *state;
	struct incident folder, again;
	struct stat st;

	create(fixture);
	assert_null(incident_open_folder(&fixture->incident, "onset", &folder));
	assert_return_code(stat(file_in(fixture, "onset"), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_null(incident_write(&folder, "file", "one", 3));
	assert_content(file_in(fixture, "onset/file"), "one");
	assert_null(incident_open_folder(&fixture->incident, "onset", &again));
	assert_true(incident_has(&again, "file"));
	incident_close(&again);
	incident_close(&folder);
	assert_return_code(symlink("/tmp", file_in(fixture, "end")), errno);
	assert_fails(incident_open_folder(&fixture->incident, "end", &folder), "end");
	assert_int_equal(folder.dirfd, -1);
}

#define STORE_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST("an incident is a 0700 folder named for onset and boot id", test_id),
		STORE_TEST("a clash of IDs gets -2, -3, ...", test_clash),
		STORE_TEST("an ID that is none, or leads elsewhere, is refused", test_bad_ids),
		STORE_TEST("an incident whose folder is missing is made under its ID", test_make),
		STORE_TEST("a symlink in an incident's place is not followed",
			   test_symlinked_folder),
		STORE_TEST("a file is 0600, replaced whole, and leaves nothing beside it",
			   test_write),
		STORE_TEST("a symlink in a file's place does not lead out", test_symlinked_file),
		STORE_TEST("a stream has its name only when it is finished", test_stream),
		STORE_TEST("of a stream that an error ended what was written stays",
			   test_stream_with_error),
		STORE_TEST("on a full disk the old file stays, and no half one gets a name",
			   test_full),
		STORE_TEST("an id tells of which boot it is", test_boot),
		STORE_TEST("a FIFO or link in the place of a file is an error, and keeps its name",
			   test_no_file),
		STORE_TEST("files that are staged have no names until they are published",
			   test_staged),
		STORE_TEST("an incident's folder is 0700, and no symlink in its place is followed",
			   test_folder),
		STORE_TEST("a folder that others can write to, or have made, is not ours",
			   test_ours),
		STORE_TEST("of a store that cannot be asked no room is counted on", test_room),
		STORE_TEST("a store that is not there is named", test_no_store),
	};

	return RUN_TESTS(tests);
}
