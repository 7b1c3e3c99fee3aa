// SPDX-License-Identifier: GPL-2.0-only
#include "capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/pages.h"
#include "capture/privilege.h"

#define READ_LIMIT_S  2
#define READ_MOST     (1u << 20)
#define KILL_GRACE_NS (500 * NS_PER_MS)
#define KEPT_FD	      3

struct order {
	uint32_t source; /* index into sources */
	uint32_t pid;
};

void keep_only(int *fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(*fd, KEPT_FD) < 0)
		_exit(1);
	for (int i = 0; i < KEPT_FD; i++)
		dup2(null, i);
	close_range(KEPT_FD + 1, ~0u, 0);
	*fd = KEPT_FD;
}

static void serve(const char *root, int fd)
{
	static struct sink sink;
	struct order order;

	sink.fd = fd;
	malloc_trim(0); /* of its parent's */
	pages_own();
	while (recv(fd, &order, sizeof(order), 0) == sizeof(order)) {
		const struct source *source = &sources[order.source];
		const struct scope scope = { .root = root, .pid = order.pid };
		sink_begin(&sink, source->most ? source->most : READ_MOST);
		sink_end(&sink, source->read(source, &scope, &sink));
	}
	_exit(0);
}

struct error *reader_start(const char *root, struct reader *ret)
{
	int sockets[2];
	pid_t parent = getpid();

	*ret = (struct reader){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error_errno("gather: cannot make a socket");
	ret->pid = fork();
	if (!ret->pid) {
		/* Without them there is less that it can read, and that is said where it cannot. */
		error_destroy(privilege_for_helper());
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "lockdump-reader");
		keep_only(&sockets[1]);
		if (getppid() != parent)
			_exit(1);
		serve(root, sockets[1]);
	}
	close(sockets[1]);
	if (ret->pid > 0) {
		ret->fd = sockets[0];
		return NULL;
	}
	ret->pid = 0;
	struct error *err = error_errno("gather: cannot fork");
	close(sockets[0]);
	return err;
}

/* False at @until. Packets, and the reader's end, can be received. */
static bool wait_for_packet(const struct reader *reader, uint64_t until)
{
	struct pollfd fd = { .fd = reader->fd, .events = POLLIN };

	for (;;) {
		uint64_t now = now_ns();
		struct timespec left = to_timespec(until > now ? until - now : 0);
		int ready = ppoll(&fd, 1, &left, NULL);
		if (ready >= 0 || errno != EINTR)
			return ready > 0;
	}
}

static void close_reader(struct reader *reader)
{
	close(reader->fd);
	reader->fd = -1;
}

/* Whether the process, which was killed and did not end, is running and not asleep. */
static bool is_running(pid_t pid)
{
	char path[32], stat[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	char *line = file ? fgets(stat, sizeof(stat), file) : NULL;
	const char *end = line ? strrchr(line, ')') : NULL;
	bool running = end && !strncmp(end, ") R", 3);
	if (file)
		fclose(file);
	return running;
}

bool reader_takes_orders(const struct reader *reader)
{
	return reader->fd >= 0 && !reader->left;
}

/* Its socket stays open: it would end. */
static enum reading_end leave(struct reader *reader)
{
	reader->left = true;
	return is_running(reader->pid) ? READING_SPINS : READING_LEFT;
}

void reader_let_go(struct reader *reader)
{
	if (!reader->left)
		return;
	reader->left = false;
	kill(reader->pid, SIGKILL);
	close_reader(reader);
}

/* Its socket closes when it ends. */
static enum reading_end give_up(struct reader *reader)
{
	static struct packet packet;
	uint64_t until = now_ns() + KILL_GRACE_NS;
	ssize_t n = 1;

	kill(reader->pid, SIGKILL);
	while (n > 0 && wait_for_packet(reader, until))
		n = recv(reader->fd, &packet, sizeof(packet), MSG_DONTWAIT);
	close_reader(reader);
	if (n <= 0) {
		reader->pid = 0;
		return READING_KILLED;
	}
	return is_running(reader->pid) ? READING_SPINS : READING_STUCK;
}

static void append(struct reading *reading, const char *data, size_t size)
{
	size_t room = reading->capacity - reading->size;

	if (size > room) {
		size = room;
		reading->cut = true;
	}
	memcpy(reading->data + reading->size, data, size);
	reading->size += size;
}

/* True if it was the last of them. */
static bool receive(struct reader *reader, struct reading *reading)
{
	static struct packet packet;
	const size_t header = offsetof(struct packet, data);
	ssize_t n = recv(reader->fd, &packet, sizeof(packet), MSG_DONTWAIT);

	if (n < (ssize_t)header) {
		close_reader(reader);
		reader->pid = 0;
		reading->end = READING_LOST;
		return true;
	}
	if (packet.type == PACKET_DATA) {
		append(reading, packet.data, n - header);
		return false;
	}
	reading->cut |= packet.cut;
	reading->error = packet.error;
	reading->end = packet.error ? READING_FAILED : READING_DONE;
	return true;
}

void reader_read(struct reader *reader, const struct source *source, uint32_t pid, bool deaf,
		 struct reading *reading)
{
	const struct order order = { .source = source - sources, .pid = pid };
	uint64_t start = now_ns();

	reading->size = 0;
	reading->cut = false;
	reading->error = 0;
	reading->limit_s = source->limit_s ? source->limit_s : READ_LIMIT_S;
	uint64_t until = start + reading->limit_s * NS_PER_SEC;
	/* If it has died, that is received. */
	send(reader->fd, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL);
	for (;;) {
		if (!wait_for_packet(reader, until)) {
			reading->end = deaf ? leave(reader) : give_up(reader);
			break;
		}
		if (receive(reader, reading))
			break;
	}
	reading->seconds = (double)(now_ns() - start) / NS_PER_SEC;
}

bool reader_is_stuck(struct reader *reader)
{
	if (reader->pid && reader->fd < 0 && kill(reader->pid, 0))
		reader->pid = 0;
	return reader->pid && reader->fd < 0;
}
