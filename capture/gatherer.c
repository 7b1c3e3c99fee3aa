// SPDX-License-Identifier: GPL-2.0-only
#include "capture/gatherer.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/gathered.h"
#include "capture/reader.h"

#define NR_READERS     4
#define MAX_READERS    16 /* with those that are left where they are, of all incidents */
#define BUFFER_SIZE    (4u << 20)
#define REQUEST_MAX_NS (20 * NS_PER_SEC)
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
	struct gathered gathered;
};

/* Only while nothing stalls. */
static struct error *start_readers(struct gathering *gathering)
{
	size_t nr_living = 0;
	bool any_stuck = false;

	for (size_t i = 0; i < MAX_READERS; i++) {
		any_stuck |= reader_is_stuck(&gathering->readers[i]);
		nr_living += gathering->readers[i].fd >= 0;
	}
	gathering->spun &= any_stuck;
	for (size_t i = 0; i < MAX_READERS && nr_living < NR_READERS; i++) {
		struct reader *reader = &gathering->readers[i];
		if (reader->fd >= 0 || reader_is_stuck(reader))
			continue;
		struct error *err = reader_start(gathering->root, reader);
		if (err)
			return err;
		nr_living++;
	}
	return NULL;
}

static struct reader *living_reader(struct gathering *gathering)
{
	for (size_t i = 0; i < MAX_READERS; i++)
		if (gathering->readers[i].fd >= 0)
			return &gathering->readers[i];
	return NULL;
}

static bool is_hung(const struct reading *reading)
{
	return reading->end >= READING_KILLED;
}

/* What was not done in time is in the index at once: the machine may be crashed before all is done. */
static void write_index(struct gathering *gathering)
{
	error_destroy(gathered_write_index(&gathering->gathered));
}

static void read_source(struct gathering *gathering, const struct source *source, uint32_t pid,
			const char *name)
{
	struct reader *reader = living_reader(gathering);
	struct reading reading = { .data = gathering->buffer, .capacity = BUFFER_SIZE };

	if (!reader) {
		gathered_skip(&gathering->gathered, name, "all readers hang");
		return;
	}
	reader_read(reader, source, pid, &reading);
	gathering->spun |= reading.end == READING_SPINS;
	gathered_add(&gathering->gathered, name, &reading);
	if (is_hung(&reading))
		write_index(gathering);
}

static const char *why_not(const struct gathering *gathering, const struct source *source,
			   const struct gather_request *request)
{
	unsigned int unsafe = source->flags & request->unsafe;

	if (unsafe & SOURCE_IRQ_LOCKS)
		return "a CPU takes no interrupts: it may hold locks that this needs";
	if (unsafe & SOURCE_SPIN_LOCKS)
		return "a stalled CPU may hold locks that this needs, and there is no other to spare";
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
		read_source(gathering, source, pid, name);
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
		error_destroy(err); /* the spooler has the same trouble, and tells it */
		return;
	}
	bool is_new = !gathered->nr_items;
	gathering->until_ns = now_ns() + REQUEST_MAX_NS;
	for (size_t i = 0; i < nr_sources; i++) {
		const struct source *source = &sources[i];
		if (request->folder == GATHER_END && !(source->flags & SOURCE_AGAIN))
			continue;
		if (source->flags & SOURCE_TASK)
			gather_tasks(gathering, source, first, request);
		else if (is_new)
			gather(gathering, source, 0, request);
	}
	write_index(gathering);
}

/* All is well again: what may hang when it is not is done now. */
static void settle(struct gathering *gathering)
{
	gathered_close(&gathering->gathered);
	error_destroy(start_readers(gathering)); /* then with those that there are */
	madvise(gathering->buffer, BUFFER_SIZE, MADV_DONTNEED);
}

/* Memory that is given back to the kernel takes an interrupt on each CPU that has seen it: it is kept. */
static void keep_memory(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT32_MAX);
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
	keep_memory();
	gathering.buffer =
		mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (gathering.buffer == MAP_FAILED)
		return 1;
	error_destroy(start_readers(&gathering));
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
