// SPDX-License-Identifier: GPL-2.0-only
/* What a watch tells the journal and the service manager: both are sockets of the test's. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "kdump/events.h"
#include "capture/notify.h"

#define NONE "(nothing)"

struct fixture {
	char folder[64];
	char path[128];
	int fd;
	char got[4096];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(fixture->folder, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
	strcpy(address.sun_path, fixture->path);
	fixture->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	*state = fixture;
	return bind(fixture->fd, (struct sockaddr *)&address, sizeof(address));
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->fd);
	unlink(fixture->path);
	rmdir(fixture->folder);
	unsetenv("JOURNAL_STREAM");
	free(fixture);
	return 0;
}

/* The next datagram, or NONE. */
static const char *received(struct fixture *fixture)
{
	ssize_t length = recv(fixture->fd, fixture->got, sizeof(fixture->got) - 1, 0);

	if (length < 0) {
		assert_int_equal(errno, EAGAIN);
		return NONE;
	}
	fixture->got[length] = '\0';
	return fixture->got;
}

/* Tells an event; what is said on stderr goes to @said. */
static void tell(const struct journal *journal, char *said, size_t size)
{
	FILE *file = tmpfile();
	int copy = dup(STDERR_FILENO);
	struct event event;

	dup2(fileno(file), STDERR_FILENO);
	event_init(&event, EVENT_STALL, LOG_ERR);
	event_add(&event, "LOCKDUMP_CPU", "%u", 3);
	event_add(&event, "LOCKDUMP_COMM", "%s", "a\nPRIORITY=0\x1b");
	event_tell(&event, journal, stderr, "CPU %u\nis stuck", 3);
	fflush(stderr);
	dup2(copy, STDERR_FILENO);
	close(copy);
	rewind(file);
	said[fread(said, 1, size - 1, file)] = '\0';
	fclose(file);
}

#define ENTRY                                           \
	"MESSAGE_ID=441df306ac1540dd8649ef9c5fe9401a\n" \
	"PRIORITY=3\n"                                  \
	"SYSLOG_IDENTIFIER=lockdump\n"                  \
	"LOCKDUMP_CPU=3\n"                              \
	"LOCKDUMP_COMM=a?PRIORITY=0?\n"                 \
	"MESSAGE=CPU 3?is stuck\n"
#define LINE "lockdump: CPU 3?is stuck\n"

static void test_entry(void **state)
{
	struct fixture *fixture = *state;
	struct journal journal;
	char said[256];

	journal_init(fixture->path, &journal);
	tell(&journal, said, sizeof(said));
	assert_string_equal(received(fixture), ENTRY);
	assert_string_equal(said, LINE);
	journal_deinit(&journal);
}

static void test_no_journal(void **state)
{
	struct fixture *fixture = *state;
	struct journal journal;
	char said[256];

	unlink(fixture->path);
	journal_init(fixture->path, &journal);
	assert_int_equal(journal.fd, -1);
	tell(&journal, said, sizeof(said));
	assert_string_equal(said, LINE);
}

static void test_stderr_is_journal(void **state)
{
	struct fixture *fixture = *state;
	char stream[64], said[256];
	struct journal journal;
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	journal_init(fixture->path, &journal);
	assert_true(journal.is_stderr);
	tell(&journal, said, sizeof(said));
	assert_string_equal(received(fixture), ENTRY);
	assert_string_equal(said, "");
	/* Gone: then the line must be there. */
	close(fixture->fd);
	unlink(fixture->path);
	tell(&journal, said, sizeof(said));
	assert_string_equal(said, LINE);
	journal_deinit(&journal);

	setenv("JOURNAL_STREAM", "1:1", 1);
	fixture->fd = -1;
	journal_init("/dev/null", &journal);
	assert_false(journal.is_stderr);
	journal_deinit(&journal);
}

static void test_too_long(void **state)
{
	struct event event;
	char longer[600];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	event_init(&event, EVENT_STALL, LOG_ERR);
	for (int i = 0; i < 10; i++)
		event_add(&event, "LOCKDUMP_X", "%s", longer);
	assert_true(event.length < sizeof(event.text));
	assert_int_equal(event.text[event.length - 1], '\n');
	event_add(&event, "LOCKDUMP_CPU", "1");
	assert_string_equal(event.text + event.length - strlen("LOCKDUMP_CPU=1\n"),
			    "LOCKDUMP_CPU=1\n");
}

static void set_environment(const char *path, const char *usec, const char *pid)
{
	setenv("NOTIFY_SOCKET", path, 1);
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
}

static void test_notify(void **state)
{
	struct fixture *fixture = *state;
	struct notify notify;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	set_environment(fixture->path, "30000000", pid);
	assert_null(notify_init(&notify));
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(notify.watchdog_ns, 30000000000);
	notify_send(&notify, "READY=1\nSTATUS=%s", "fine");
	assert_string_equal(received(fixture), "READY=1\nSTATUS=fine");
	/* Nobody reads: it must not wait. */
	for (int i = 0; i < 10000; i++)
		notify_send(&notify, "WATCHDOG=1");
	notify_deinit(&notify);

	set_environment(fixture->path, "30000000", "1");
	assert_null(notify_init(&notify));
	assert_int_equal(notify.watchdog_ns, 0);
	notify_deinit(&notify);
}

static void test_no_notify(void **state)
{
	struct notify notify;

	(void)state;
	assert_null(notify_init(&notify));
	assert_int_equal(notify.fd, -1);
	assert_int_equal(notify.watchdog_ns, 0);
	notify_send(&notify, "READY=1");
	notify_deinit(&notify);
}

static void test_abstract(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct notify notify;
	char name[64], got[16];

	(void)state;
	snprintf(name, sizeof(name), "@lockdump-test-%d", getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      offsetof(struct sockaddr_un, sun_path) + strlen(name)),
			 0);
	set_environment(name, NULL, NULL);
	assert_null(notify_init(&notify));
	notify_send(&notify, "READY=1");
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), strlen("READY=1"));
	notify_deinit(&notify);
	close(fd);
}

static void test_bad_socket(void **state)
{
	const char *const paths[] = { "relative", "/nonexistent/socket", "" };
	struct notify notify;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		set_environment(paths[i], "1", NULL);
		struct error *err = notify_init(&notify);
		assert_non_null(err);
		assert_non_null(strstr(err->message, "NOTIFY_SOCKET="));
		assert_int_equal(notify.fd, -1);
		error_destroy(err);
	}
}

#define SOCKET_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET_TEST("an event is an entry of the journal, and a line on stderr",
			    test_entry),
		SOCKET_TEST("without a journal it is the line alone", test_no_journal),
		SOCKET_TEST("the line is not said twice where stderr is the journal",
			    test_stderr_is_journal),
		TEST("a field that has no room is left out, whole", test_too_long),
		SOCKET_TEST("the service manager is told, and never waited for", test_notify),
		TEST("without a service manager nothing is said", test_no_notify),
		TEST("a socket without a file is found", test_abstract),
		TEST("a socket that cannot be had is an error", test_bad_socket),
	};

	return RUN_TESTS(tests);
}
