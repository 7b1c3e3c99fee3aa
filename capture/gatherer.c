// SPDX-License-Identifier: GPL-2.0-only
#include "capture/gatherer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/gathered.h"
#include "capture/heap.h"
#include "capture/pages.h"
#include "capture/reader.h"

#define NR_READERS     2
#define MAX_READERS    16 /* with those that are left where they are, of all incidents */
#define BUFFER_SIZE    (4u << 20)
#define HEAP_SIZE      (256u << 10)
#define REQUEST_MAX_NS (20 * NS_PER_SEC)
#define PUBLISH_NS     NS_PER_SEC /* the machine may be crashed before all is done */
#define END_WAIT_NS    NS_PER_SEC
#define END_POLL_NS    (5 * NS_PER_MS)

/* The gatherer's own. */
struct gathering {
	const char *store;
	const char *root;
	int fd;
	struct reader readers[MAX_READERS];
	char *buffer;
	bool spun; /* a reader has taken a CPU with it: no other is sent after it */
	uint64_t until_ns;
	uint64_t published_ns;
	struct gathered gathered;
};

/* As many as can be had. Only while no CPU is deaf. */
static void start_readers(struct gathering *gathering)
{
	size_t nr_living = 0;
	bool any_stuck = false;

	for (size_t i = 0; i < MAX_READERS; i++) {
		any_stuck |= reader_is_stuck(&gathering->readers[i]);
		nr_living += reader_takes_orders(&gathering->readers[i]);
	}
	gathering->spun &= any_stuck;
	for (size_t i = 0; i < MAX_READERS && nr_living < NR_READERS; i++) {
		struct reader *reader = &gathering->readers[i];
		if (reader->fd >= 0 || reader_is_stuck(reader))
			continue;
		struct error *err = reader_start(gathering->root, reader);
		nr_living += !err;
		error_destroy(err);
	}
	pages_own();
}

/* When all hang there can be others only if each CPU takes the interrupts that it takes to make them. */
static struct reader *living_reader(struct gathering *gathering, bool deaf)
{
	for (size_t i = 0; i < MAX_READERS; i++)
		if (reader_takes_orders(&gathering->readers[i]))
			return &gathering->readers[i];
	if (deaf)
		return NULL;
	start_readers(gathering);
	return living_reader(gathering, true);
}

static bool is_hung(const struct reading *reading)
{
	return reading->end >= READING_KILLED;
}

static void publish(struct gathering *gathering)
{
	gathering->published_ns = now_ns();
	/* The spooler has the same trouble with the store, and tells it. */
	error_destroy(gathered_publish(&gathering->gathered));
}

static void read_source(struct gathering *gathering, const struct source *source, uint32_t pid,
			const char *name, bool deaf)
{
	struct reader *reader = living_reader(gathering, deaf);
	struct reading reading = { .data = gathering->buffer, .capacity = BUFFER_SIZE };

	if (!reader) {
		gathered_skip(&gathering->gathered, name, "all readers hang");
		return;
	}
	reader_read(reader, source, pid, deaf, &reading);
	gathering->spun |= reading.end == READING_SPINS;
	gathered_add(&gathering->gathered, name, &reading);
	if (is_hung(&reading) || now_ns() - gathering->published_ns > PUBLISH_NS)
		publish(gathering);
}

static const char *why_not(const struct gathering *gathering, const struct source *source,
			   const struct gather_request *request)
{
	if (request->deaf && (source->flags & SOURCE_IRQ_LOCKS))
		return "a CPU takes no interrupts: it may hold locks that this needs";
	if (gathering->spun)
		return "a reader spins for a lock: no other is sent after it";
	if (now_ns() >= gathering->until_ns)
		return "out of time";
	return NULL;
}

static void gather(struct gathering *gathering, const struct source *source, uint32_t pid,
		   const struct gather_request *request)
{
	char name[sizeof(((struct gathered_item *)0)->name)];
	const char *why = why_not(gathering, source, request);

	if (pid)
		snprintf(name, sizeof(name), "%u.%s", pid, source->name);
	else
		snprintf(name, sizeof(name), "%s", source->name);
	if (why)
		gathered_skip(&gathering->gathered, name, why);
	else
		read_source(gathering, source, pid, name, request->deaf);
}

/* The tasks of the stalls from @first on. */
static void gather_tasks(struct gathering *gathering, const struct source *source, size_t first,
			 const struct gather_request *request)
{
	const struct gathered *gathered = &gathering->gathered;

	for (size_t i = first; i < gathered->nr_stalls; i++)
		if (gathered->stalls[i].pid)
			gather(gathering, source, gathered->stalls[i].pid, request);
}

static void serve(struct gathering *gathering, const struct gather_request *request)
{
	const struct gathered *gathered = &gathering->gathered;
	size_t first;
	struct error *err = gathered_open(&gathering->gathered, gathering->store, request, &first);

	if (err) {
		error_destroy(err);
		return;
	}
	bool is_new = !gathered->nr_items;
	gathering->published_ns = now_ns();
	gathering->until_ns = gathering->published_ns + REQUEST_MAX_NS;
	for (size_t i = 0; i < nr_sources; i++) {
		const struct source *source = &sources[i];
		if (request->folder == GATHER_END && !(source->flags & SOURCE_AGAIN))
			continue;
		if (source->flags & SOURCE_TASK)
			gather_tasks(gathering, source, first, request);
		else if (is_new)
			gather(gathering, source, 0, request);
	}
	publish(gathering);
}

/* All is well again: what may hang when it is not is done now. */
static void settle(struct gathering *gathering)
{
	gathered_close(&gathering->gathered);
	for (size_t i = 0; i < MAX_READERS; i++)
		reader_let_go(&gathering->readers[i]);
	start_readers(gathering);
	madvise(gathering->buffer, BUFFER_SIZE, MADV_DONTNEED);
}

static int run(const char *store, const char *root, int fd)
{
	static struct gathering gathering;
	struct gather_request request;
	char answer = 0;

	gathering = (struct gathering){ .store = store, .root = root, .fd = fd };
	gathering.gathered.folder.dirfd = -1;
	for (size_t i = 0; i < MAX_READERS; i++)
		gathering.readers[i].fd = -1;
	heap_keep(HEAP_SIZE);
	gathering.buffer =
		mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (gathering.buffer == MAP_FAILED)
		return 1;
	start_readers(&gathering);
	heap_keep(HEAP_SIZE);
	while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
		serve(&gathering, &request);
		send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
		if (request.folder == GATHER_END)
			settle(&gathering);
	}
	return 0;
}

static void __attribute__((noreturn))
child(const char *store, const char *root, int fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "lockdump-gather");
	if (getppid() != parent)
		_exit(1);
	signal(SIGCHLD, SIG_IGN);
	keep_only(&fd);
	_exit(run(store, root, fd));
}

struct error *gatherer_start(const char *store, const char *root, struct gatherer *ret)
{
	int sockets[2];
	pid_t parent = getpid();

	*ret = (struct gatherer){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error_errno("gather: cannot make a socket");
	ret->pid = fork();
	if (!ret->pid)
		child(store, root, sockets[1], parent);
	close(sockets[1]);
	if (ret->pid > 0) {
		ret->fd = sockets[0];
		pages_own();
		return NULL;
	}
	struct error *err = error_errno("gather: cannot fork");
	close(sockets[0]);
	return err;
}

/* Takes the answers that have come. False if none can come any more. */
static bool take_answers(struct gatherer *gatherer)
{
	char answer;
	ssize_t n;

	while ((n = recv(gatherer->fd, &answer, sizeof(answer), MSG_DONTWAIT)) > 0)
		gatherer->answered++;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

struct error *gatherer_ask(struct gatherer *gatherer, const struct gather_request *request)
{
	if (gatherer->fd < 0)
		return NULL;
	if (!take_answers(gatherer)) {
		gatherer_stop(gatherer);
		return error_create(ERROR_OTHER, "gather: its process has ended");
	}
	if (send(gatherer->fd, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return error_errno("gather: cannot be asked");
	gatherer->asked++;
	return NULL;
}

bool gatherer_wait(struct gatherer *gatherer, uint64_t most_ns)
{
	uint64_t until = now_ns() + most_ns;

	while (gatherer->fd >= 0 && take_answers(gatherer) &&
	       gatherer->answered != gatherer->asked) {
		struct pollfd fd = { .fd = gatherer->fd, .events = POLLIN };
		uint64_t now = now_ns();
		if (now >= until)
			return false;
		struct timespec left = to_timespec(until - now);
		ppoll(&fd, 1, &left, NULL);
	}
	return gatherer->answered == gatherer->asked;
}

void gatherer_stop(struct gatherer *gatherer)
{
	uint64_t until = now_ns() + END_WAIT_NS;
	struct timespec nap = to_timespec(END_POLL_NS);

	if (gatherer->fd < 0)
		return;
	close(gatherer->fd);
	gatherer->fd = -1;
	kill(gatherer->pid, SIGKILL);
	while (waitpid(gatherer->pid, NULL, WNOHANG) == 0 && now_ns() < until)
		nanosleep(&nap, NULL);
}
