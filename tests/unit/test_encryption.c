// SPDX-License-Identifier: GPL-2.0-only
/* makedumpfile and age, one behind the other: here they are scripts that do what they are told. */
#include "test.h"

#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/encryption.h"
#include "kdump/run.h"
#include "make_dump.h"

#define ROOM (100 << 20)

struct place {
	char folder[64], path[4096]; /* PATH as it was */
	char why[SIEVE_WHY];
};

static void write_file(const struct place *place, const char *name, const char *format,
		       const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, format, text);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

/* A flattened file of some 300 KB that is no dump, but has an end. */
static void write_stream(const struct place *place)
{
	const uint64_t end[2] = { UINT64_MAX, UINT64_MAX };
	const uint64_t block[2] = { htobe64(1 << 20), htobe64(300000) };
	char path[128], head[4096] = "makedumpfile", bytes[1000] = "x";

	snprintf(path, sizeof(path), "%s/stream", place->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	head[23] = head[31] = 1;
	fwrite(head, sizeof(head), 1, file);
	fwrite(block, sizeof(block), 1, file);
	for (int i = 0; i < 300; i++)
		fwrite(bytes, sizeof(bytes), 1, file);
	fwrite(end, sizeof(end), 1, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char path[4200];

	strcpy(place->folder, "/tmp/lockdump-test.XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s", getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", place->folder, place->path);
	setenv("PATH", path, 1);
	write_stream(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	char command[128];

	setenv("PATH", place->path, 1);
	snprintf(command, sizeof(command), "rm -r '%s'", place->folder);
	assert_int_equal(system(command), 0);
	free(place);
	return 0;
}

struct job {
	const struct place *place;
	off_t room;
	struct page_log *log;
	char *why;
};

static struct error *save(void *arg)
{
	const struct job *job = arg;
	char path[128];

	snprintf(path, sizeof(path), "%s/out", job->place->folder);
	struct encryption encryption = {
		.level = 31,
		.compression = "lzo",
		.out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		.room = job->room,
		.sieve = { .wanted = job->log,
			   .kept = memfd_create("kept", MFD_CLOEXEC),
			   .most_bytes = 1 << 20,
			   .why = job->why },
	};
	return encryption_save(&encryption);
}

static void *shared(size_t size)
{
	void *ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(ret, MAP_FAILED);
	return ret;
}

/* In a child, as a step of the capture: what it limits is not ours. */
static struct error *save_with(struct place *place, const char *makedumpfile, const char *age,
			       off_t room, unsigned int limit_s)
{
	struct job job = { place, room, shared(sizeof(*job.log)), shared(SIEVE_WHY) };
	struct run run = RUN_INIT;

	write_file(place, "makedumpfile", "#!/bin/sh\ncd \"${0%%/*}\"\n%s\n", makedumpfile);
	write_file(place, "age", "#!/bin/sh\ncd \"${0%%/*}\"\n%s\n", age);
	page_log_add(job.log, 1);
	run.limit_s = limit_s;
	struct error *err = run_function(&run, save, &job);
	memcpy(place->why, job.why, SIEVE_WHY);
	munmap(job.log, sizeof(*job.log));
	munmap(job.why, SIEVE_WHY);
	return err;
}

static void assert_shell(const struct place *place, const char *command)
{
	char text[512];

	snprintf(text, sizeof(text), "cd '%s' && %s", place->folder, command);
	assert_int_equal(system(text), 0);
}

static void test_works(void **state)
{
	struct place *place = *state;

	assert_no_error(save_with(place, "echo \"$@\" >args; cat stream",
				  "echo \"$@\" >args.age; echo age; cat", ROOM, 60));
	assert_shell(place, "{ echo age; cat stream; } | cmp - out");
	assert_shell(place, "echo '-F -l -d 31 --message-level 22 /proc/vmcore' | cmp - args");
	assert_shell(place, "echo '-R /etc/lockdump/recipients' | cmp - args.age");
	/* That it is no dump is said to who would prove it. */
	assert_non_null(strstr(place->why, "makedumpfile's stream"));
}

static void test_first_fails(void **state)
{
	struct place *place = *state;

	assert_error(
		save_with(place, "head -c 5000 stream; echo oops >&2; exit 5", "cat", ROOM, 60),
		ERROR_OTHER, "makedumpfile: exit status 5: oops");
	assert_error(save_with(place, "head -c 5000 stream; kill -9 $$", "cat", ROOM, 60),
		     ERROR_OTHER, "makedumpfile: killed by signal 9");
	assert_error(save_with(place, "head -c 3000 stream", "cat", ROOM, 60), ERROR_OTHER,
		     "makedumpfile's dump has no end");
}

static void test_last_fails(void **state)
{
	struct place *place = *state;

	assert_error(
		save_with(
			place, "exec cat stream",
			"head -c 9 >out; echo 'age: error: no key' >&2; echo 'age: report' >&2; exit 1",
			ROOM, 60),
		ERROR_OTHER, "age: no key");
	assert_error(save_with(place, "exec cat stream", "kill -9 $$", ROOM, 60), ERROR_OTHER,
		     "age: killed by signal 9");
	/* At its very end, when the others have ended well. */
	assert_error(save_with(place, "exec cat stream", "cat; exit 3", ROOM, 60), ERROR_OTHER,
		     "age: exit status 3");
	assert_error(save_with(place, "exec cat stream", "exec /nowhere", ROOM, 60), ERROR_OTHER,
		     "age: ");
}

static void test_no_room(void **state)
{
	struct place *place = *state;

	assert_error(save_with(place, "exec cat stream", "exec cat", 100000, 60), ERROR_OTHER,
		     "age: the dump does not fit into 0 MB");
	assert_shell(place, "[ \"$(stat -c %s out)\" -le 100000 ]");
}

/* Ended, or a zombie that init has yet to reap. */
static bool has_ended(const struct place *place, const char *name)
{
	char path[128], line[256] = "";
	int pid = 0;

	snprintf(path, sizeof(path), "%s/%s", place->folder, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return true;
	bool read = fgets(line, sizeof(line), file);
	fclose(file);
	return !read || strstr(line, ") Z ");
}

static void assert_ends(const struct place *place, const char *name)
{
	for (int i = 0; i < 3000 && !has_ended(place, name); i++)
		usleep(20000);
	assert_true(has_ended(place, name));
}

static void test_hangs(void **state)
{
	struct place *place = *state;

	assert_error(save_with(place, "echo $$ >first; exec sleep 600", "echo $$ >last; exec cat",
			       ROOM, 2),
		     ERROR_OTHER, "not done after 2 s, killed");
	assert_ends(place, "first");
	assert_ends(place, "last");
	assert_error(save_with(place, "echo $$ >first; exec yes", "echo $$ >last; exec sleep 600",
			       ROOM, 2),
		     ERROR_OTHER, "not done after 2 s, killed");
	assert_ends(place, "first");
	assert_ends(place, "last");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("what makedumpfile writes is in the file, encrypted", test_works, set_up,
			  tear_down),
		TEST_WITH("a makedumpfile that fails, is killed or stops early is an error",
			  test_first_fails, set_up, tear_down),
		TEST_WITH("so is an age that does, and its own reason is told", test_last_fails,
			  set_up, tear_down),
		TEST_WITH("the file does not grow above its room", test_no_room, set_up, tear_down),
		TEST_WITH("when the time is over none of them is left", test_hangs, set_up,
			  tear_down),
	};

	return RUN_TESTS(tests);
}
