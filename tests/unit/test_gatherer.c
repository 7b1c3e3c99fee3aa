// SPDX-License-Identifier: GPL-2.0-only
/* What is gathered at a stall: from a folder that stands for the machine, into a store. A FIFO is a file that blocks. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/gatherer.h"

#define SECOND	NS_PER_SEC
#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"
#define WAIT_NS (60 * SECOND)

struct fixture {
	char folder[64]; /* has root and store */
	char root[80], store[80];
	struct incident incident;
	struct gatherer gatherer;
};

/* The file at @path of the root, whose folders are made. */
static void put(const struct fixture *fixture, const char *path, const char *text)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "%s%s", fixture->root, path);
	for (char *at = whole + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(!mkdir(whole, 0700) || errno == EEXIST);
		*at = '/';
	}
	unlink(whole);
	if (!text) {
		assert_return_code(mkfifo(whole, 0600), errno);
		return;
	}
	FILE *file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void put_task(const struct fixture *fixture, int pid, const char *state)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(text, sizeof(text), "Pid:\t%d\n", pid);
	put(fixture, path, text);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	put(fixture, path, "7f0000000000-7f0000001000 r-xp\n");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	snprintf(text, sizeof(text), "%d (a) b) %s 1 1\n", pid, state);
	put(fixture, path, text);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", pid, pid);
	put(fixture, path, "[<0>] it_sleeps+0x1/0x2\n");
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->root, sizeof(fixture->root), "%s/root", fixture->folder);
	snprintf(fixture->store, sizeof(fixture->store), "%s/store", fixture->folder);
	mkdir(fixture->root, 0700);
	mkdir(fixture->store, 0700);
	put(fixture, "/proc/interrupts", "           CPU0\n  0:   17\n");
	put(fixture, "/proc/timer_list", "now at 1 nsecs\n");
	put(fixture, "/proc/sys/kernel/watchdog_thresh", "10\n");
	put(fixture, "/proc/sys/kernel/hung_task_panic", "0\n");
	put(fixture, "/dev/kmsg", "[    0.0] Linux version\n");
	put_task(fixture, 42, "R");
	put_task(fixture, 43, "D");
	fixture->gatherer.fd = -1;
	*state = fixture;
	if (incident_create(fixture->store, 1767225600, BOOT_ID, &fixture->incident))
		return -1;
	return gatherer_start(fixture->store, fixture->root, &fixture->gatherer) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	gatherer_stop(&fixture->gatherer);
	incident_close(&fixture->incident);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->folder);
	int ret = system(command);
	free(fixture);
	return ret;
}

static struct gather_request request_of(const struct fixture *fixture, enum gather_folder folder)
{
	struct gather_request request = { .folder = folder };

	memcpy(request.incident, fixture->incident.id, sizeof(request.incident));
	return request;
}

static void add_stall(struct gather_request *request, uint32_t cpu, uint32_t pid)
{
	request->stalls[request->nr_stalls++] =
		(struct gather_stall){ .cpu = cpu, .pid = pid, .comm = "culprit" };
}

static void ask(struct fixture *fixture, const struct gather_request *request)
{
	assert_null(gatherer_ask(&fixture->gatherer, request));
	assert_true(gatherer_wait(&fixture->gatherer, WAIT_NS));
}

/* The onset of a stall of CPU 1, in task 42. */
static void ask_onset(struct fixture *fixture)
{
	struct gather_request request = request_of(fixture, GATHER_ONSET);

	add_stall(&request, 1, 42);
	ask(fixture, &request);
}

/* A file of the incident, or NULL. It is valid until the next call. */
static const char *content(const struct fixture *fixture, const char *name)
{
	static char text[65536];
	struct stat st;
	int fd = openat(fixture->incident.dirfd, name, O_RDONLY);

	if (fd < 0)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void assert_content(const struct fixture *fixture, const char *name, const char *wanted)
{
	const char *text = content(fixture, name);

	if (!text)
		fail_msg("there is no %s", name);
	assert_string_equal(text, wanted);
}

/* "OUTCOME: WHY" of a file, by the index; how often it is there is *@ret_count. */
static const char *outcome(const struct fixture *fixture, const char *folder, const char *name,
			   size_t *ret_count)
{
	static char text[256];
	char path[64];

	snprintf(path, sizeof(path), "%s/gather.json", folder);
	struct json_object *index = json_tokener_parse(content(fixture, path));
	struct json_object *items, *value;
	assert_true(json_object_object_get_ex(index, "items", &items));
	*ret_count = 0;
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		assert_true(json_object_object_get_ex(item, "name", &value));
		if (strcmp(json_object_get_string(value), name))
			continue;
		++*ret_count;
		json_object_object_get_ex(item, "outcome", &value);
		int len = snprintf(text, sizeof(text), "%s", json_object_get_string(value));
		json_object_object_get_ex(item, "why", &value);
		if (value)
			snprintf(text + len, sizeof(text) - len, ": %s",
				 json_object_get_string(value));
	}
	json_object_put(index);
	return text;
}

static void assert_outcome(const struct fixture *fixture, const char *name, const char *wanted)
{
	size_t count;
	const char *actual = outcome(fixture, "onset", name, &count);

	assert_int_equal(count, 1);
	assert_string_equal(actual, wanted);
}

static void test_all(void **state)
{
	struct fixture *fixture = *state;

	ask_onset(fixture);
	assert_content(fixture, "onset/interrupts", "           CPU0\n  0:   17\n");
	assert_content(fixture, "onset/42.status", "Pid:\t42\n");
	assert_content(fixture, "onset/42.maps", "7f0000000000-7f0000001000 r-xp\n");
	assert_content(fixture, "onset/dmesg", "[    0.0] Linux version\n");
	assert_content(fixture, "onset/timer_list", "now at 1 nsecs\n");
	assert_content(fixture, "onset/settings",
		       "/proc/sys/kernel/watchdog_thresh = 10\n"
		       "/proc/sys/kernel/hung_task_panic = 0\n");
	assert_outcome(fixture, "interrupts", "done");
	assert_outcome(fixture, "42.maps", "done");
	assert_outcome(fixture, "slabinfo", "skipped: No such file or directory");
	assert_null(content(fixture, "onset/slabinfo"));
	assert_null(content(fixture, "onset/slabinfo.incomplete"));
}

static void test_tasks(void **state)
{
	struct fixture *fixture = *state;
	const char *tasks;

	ask_onset(fixture);
	tasks = content(fixture, "onset/tasks");
	assert_non_null(strstr(tasks, "42 (a) b) R 1 1\n"));
	assert_non_null(strstr(tasks, "43 (a) b) D 1 1\n"));
	assert_content(fixture, "onset/blocked", "43 (a) b) D\n[<0>] it_sleeps+0x1/0x2\n\n");
}

static void test_blocked(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "/proc/42/maps", NULL);
	ask_onset(fixture);
	assert_outcome(fixture, "42.maps", "timeout: not done after 2 s, killed");
	assert_null(content(fixture, "onset/42.maps"));
	assert_outcome(fixture, "interrupts", "done");
	assert_outcome(fixture, "tasks", "done");
	assert_content(fixture, "onset/timer_list", "now at 1 nsecs\n");
}

static void test_many_blocked(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "/proc/42/status", NULL);
	put(fixture, "/proc/42/maps", NULL);
	put(fixture, "/proc/meminfo", NULL);
	ask_onset(fixture);
	assert_outcome(fixture, "meminfo", "timeout: not done after 2 s, killed");
	assert_outcome(fixture, "42.maps", "timeout: not done after 2 s, killed");
	assert_outcome(fixture, "tasks", "done");
}

/* How many of its readers there are, and their pids. */
static unsigned int find_readers(const struct fixture *fixture, pid_t ret[static 2])
{
	char path[64];
	unsigned int count = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", fixture->gatherer.pid,
		 fixture->gatherer.pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1)
		if (count++ < 2)
			ret[count - 1] = pid;
	fclose(file);
	return count;
}

static void test_all_blocked(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request onset = request_of(fixture, GATHER_ONSET);
	struct gather_request end = request_of(fixture, GATHER_END);
	pid_t readers[2], now[2];

	put(fixture, "/proc/softirqs", NULL);
	put(fixture, "/proc/meminfo", NULL);
	while (find_readers(fixture, readers) != 2)
		usleep(5000);
	onset.deaf = true;
	ask(fixture, &onset);
	assert_outcome(fixture, "meminfo", "timeout: not done after 2 s");
	assert_outcome(fixture, "interrupts", "done");
	assert_outcome(fixture, "dmesg", "skipped: all readers hang");
	/* To end, they would wait for the deaf CPU. */
	assert_int_equal(find_readers(fixture, now), 2);
	assert_memory_equal(now, readers, sizeof(now));
	/* Once all is well again there are others. */
	put(fixture, "/proc/softirqs", "");
	put(fixture, "/proc/meminfo", "");
	ask(fixture, &end);
	assert_non_null(content(fixture, "end/dmesg"));
	for (uint64_t until = now_ns() + WAIT_NS; now_ns() < until; usleep(5000))
		if (kill(readers[0], 0) && kill(readers[1], 0))
			return;
	fail_msg("the readers that were left have not ended");
}

static void test_not_kept(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request request = request_of(fixture, GATHER_ONSET);
	pid_t pid = fixture->gatherer.pid;
	uint64_t before = now_ns();

	put(fixture, "/proc/interrupts", NULL);
	assert_null(gatherer_ask(&fixture->gatherer, &request));
	assert_true(now_ns() - before < SECOND);
	assert_false(gatherer_wait(&fixture->gatherer, SECOND / 10));
	gatherer_stop(&fixture->gatherer);
	assert_true(now_ns() - before < 2 * SECOND);
	assert_int_equal(kill(pid, 0), -1);
	/* To ask one that is gone is no error. */
	assert_null(gatherer_ask(&fixture->gatherer, &request));
}

static void test_died(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request request = request_of(fixture, GATHER_ONSET);
	struct error *err = NULL;

	kill(fixture->gatherer.pid, SIGKILL);
	for (int i = 0; i < 1000 && !err; i++, usleep(5000))
		err = gatherer_ask(&fixture->gatherer, &request);
	assert_non_null(err);
	assert_string_equal(err->message, "gather: its process has ended");
	error_destroy(err);
	assert_int_equal(fixture->gatherer.fd, -1);
}

static void test_deaf(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request request = request_of(fixture, GATHER_ONSET);

	request.deaf = true;
	add_stall(&request, 0, 42);
	ask(fixture, &request);
	assert_outcome(fixture, "timer_list",
		       "skipped: a CPU takes no interrupts: it may hold locks that this needs");
	assert_null(content(fixture, "onset/timer_list"));
	assert_outcome(fixture, "interrupts", "done");
	assert_outcome(fixture, "42.maps", "done");
}

static void test_more_stalls(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request later = request_of(fixture, GATHER_ONSET);
	size_t count;

	ask_onset(fixture);
	put(fixture, "/proc/interrupts", "later\n");
	add_stall(&later, 1, 42);
	add_stall(&later, 0, 43);
	ask(fixture, &later);
	assert_content(fixture, "onset/43.status", "Pid:\t43\n");
	assert_outcome(fixture, "42.status", "done");
	assert_outcome(fixture, "43.status", "done");
	outcome(fixture, "onset", "interrupts", &count);
	assert_int_equal(count, 1);
	assert_content(fixture, "onset/interrupts", "           CPU0\n  0:   17\n");
}

static void test_many_stalls(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *index, *value;

	for (uint32_t i = 0; i < GATHER_MAX_STALLS + 2; i++) {
		struct gather_request request = request_of(fixture, GATHER_ONSET);
		add_stall(&request, i, 1000 + i);
		ask(fixture, &request);
	}
	index = json_tokener_parse(content(fixture, "onset/gather.json"));
	assert_true(json_object_object_get_ex(index, "stalls", &value));
	assert_int_equal(json_object_array_length(value), GATHER_MAX_STALLS);
	assert_true(json_object_object_get_ex(index, "stalls_left_out", &value));
	assert_int_equal(json_object_get_int(value), 2);
	json_object_put(index);
}

static void test_end(void **state)
{
	struct fixture *fixture = *state;
	struct gather_request end = request_of(fixture, GATHER_END);
	size_t count;

	ask_onset(fixture);
	put(fixture, "/proc/interrupts", "later\n");
	ask(fixture, &end);
	assert_content(fixture, "end/interrupts", "later\n");
	assert_content(fixture, "end/dmesg", "[    0.0] Linux version\n");
	assert_null(content(fixture, "end/settings"));
	outcome(fixture, "end", "settings", &count);
	assert_int_equal(count, 0);
	assert_content(fixture, "onset/interrupts", "           CPU0\n  0:   17\n");
}

static void test_large(void **state)
{
	struct fixture *fixture = *state;
	const size_t size = (4 << 20) + 1;
	char *text = malloc(size + 1);
	struct stat st;

	memset(text, 'x', size);
	text[size] = '\0';
	put(fixture, "/proc/42/maps", text);
	put(fixture, "/proc/interrupts", text);
	free(text);
	ask_onset(fixture);
	assert_outcome(fixture, "42.maps", "done: there was more");
	assert_outcome(fixture, "interrupts", "done: there was more");
	assert_int_equal(fstatat(fixture->incident.dirfd, "onset/42.maps", &st, 0), 0);
	assert_int_equal(st.st_size, 1 << 20);
	assert_int_equal(fstatat(fixture->incident.dirfd, "onset/interrupts", &st, 0), 0);
	assert_int_equal(st.st_size, 4 << 20);
	assert_outcome(fixture, "dmesg", "done");
}

/* A reader that cannot be killed keeps what it has open: that must be nothing but its socket. */
static void test_files(void **state)
{
	struct fixture *fixture = *state;
	char path[64], target[64];
	int pid = fixture->gatherer.pid, count = 0;

	ask_onset(fixture);
	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (!strncmp(target, "socket:", 7))
			count++;
		else if (strncmp(target, fixture->store, strlen(fixture->store)))
			assert_string_equal(target, "/dev/null");
	}
	assert_int_equal(count, 1 + 2);
}

#define GATHER_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GATHER_TEST("what there is is stored whole, and what is not is noted", test_all),
		GATHER_TEST("all tasks are listed, and the stacks of those that are blocked",
			    test_tasks),
		GATHER_TEST("a file that blocks is noted, and the rest is there", test_blocked),
		GATHER_TEST("of files that block there may be many", test_many_blocked),
		GATHER_TEST("when all readers hang and a CPU is deaf the rest is skipped",
			    test_all_blocked),
		GATHER_TEST("who asks is not kept by a file that blocks", test_not_kept),
		GATHER_TEST("a gatherer that was killed is noticed", test_died),
		GATHER_TEST("what could cost another CPU is not read while one is deaf", test_deaf),
		GATHER_TEST("a later stall's task is added, and nothing is read twice",
			    test_more_stalls),
		GATHER_TEST("the number of stalls is bounded", test_many_stalls),
		GATHER_TEST("at the end counters and log are taken again", test_end),
		GATHER_TEST("what is too large is cut", test_large),
		GATHER_TEST("the gatherer has no files of its parent's open", test_files),
	};

	return RUN_TESTS(tests);
}
