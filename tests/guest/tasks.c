// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's user processes that busybox has none of: each sleeps, or runs, in another way.
 *
 *	tasks NAME		becomes a task of the sort NAME, and is called so
 *	tasks threads N		N threads, of four sorts in turn
 *
 * None of them comes back. Linked statically, for the guest.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_in_futex(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

static void sleep_in_nanosleep(void)
{
	sleep(1000000);
}

static void sleep_in_pause(void)
{
	pause();
}

static void sleep_in_poll(void)
{
	poll(NULL, 0, -1);
}

static void sleep_in_epoll(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, -1);
}

static void sleep_in_pipe_write(void)
{
	static char data[65536];
	int ends[2];

	if (pipe(ends))
		err(1, "pipe");
	while (write(ends[1], data, sizeof(data)) > 0)
		;
}

static void sleep_in_socket(void)
{
	int ends[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	recv(ends[0], &byte, 1, 0);
}

static void sleep_in_eventfd(void)
{
	uint64_t count;

	if (read(eventfd(0, 0), &count, sizeof(count)) < 0)
		err(1, "eventfd");
}

static void sleep_in_flock(void)
{
	static const char path[] = "/tmp/flock";

	flock(open(path, O_RDWR | O_CREAT, 0600), LOCK_EX);
	flock(open(path, O_RDWR), LOCK_EX);
}

static void sleep_in_message_queue(void)
{
	struct {
		long type;
		char text[1];
	} message;

	msgrcv(msgget(IPC_PRIVATE, 0600), &message, sizeof(message.text), 0, 0);
}

static void sleep_as_zombies_parent(void)
{
	if (fork() == 0)
		_exit(0);
	pause();
}

static void sleep_traced(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGUSR1);
	}
	waitpid(pid, NULL, 0);
	pause();
}

static void sleep_in_vfork(void)
{
	if (vfork() == 0) {
		pause();
		_exit(0);
	}
}

/* A page that nobody will ever fill. */
static volatile char *unfilled_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	range.range.start = (unsigned long)page;
	range.range.len = 4096;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range))
		err(1, "userfaultfd");
	return page;
}

static void sleep_in_page_fault(void)
{
	volatile char *page = unfilled_page();

	page[8] = 1;
}

/* The same, but it is the kernel that touches the page. */
static void sleep_in_kernel_page_fault(void)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], (char *)unfilled_page(), 8) < 0)
		err(1, "pipe");
}

/* To the lab's module, which counts. */
static void say_in_place(void)
{
	FILE *file = fopen("/sys/module/ldhang/parameters/in_place", "w");

	if (!file || fputc('1', file) < 0 || fclose(file))
		err(1, "in_place");
}

static int open_file(void)
{
	int fd = open("/tmp/written", O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		err(1, "/tmp/written");
	return fd;
}

/* The same while it has the file's lock. */
static void sleep_in_file_write(void)
{
	if (write(open_file(), (char *)unfilled_page(), 8) < 0)
		err(1, "write");
}

static void wait_for_file(void)
{
	if (write(open_file(), "", 1) < 0)
		err(1, "write");
}

static void wait_for_posix_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_file();

	if (fork() == 0) {
		fcntl(fd, F_SETLK, &lock);
		pause();
	}
	sleep(1);
	fcntl(fd, F_SETLKW, &lock);
}

/* Where who follows the console can see it, as the scenarios of the lab's module are. */
static void run_in_user_mode(void)
{
	FILE *log = fopen("/dev/kmsg", "w");
	unsigned int cpu = 0;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	fprintf(log, "<5>ldhang: user-loop begins on CPU %u, pid %d (user-loop)\n", cpu, getpid());
	fclose(log);
	say_in_place();
	for (;;)
		asm volatile("pause");
}

static const struct sort {
	const char *name;
	void (*run)(void);
} sorts[] = {
	{ "futex", sleep_in_futex },
	{ "nanosleep", sleep_in_nanosleep },
	{ "pause", sleep_in_pause },
	{ "poll", sleep_in_poll },
	{ "epoll", sleep_in_epoll },
	{ "pipe-write", sleep_in_pipe_write },
	{ "socket", sleep_in_socket },
	{ "eventfd", sleep_in_eventfd },
	{ "flock", sleep_in_flock },
	{ "message-queue", sleep_in_message_queue },
	{ "zombie", sleep_as_zombies_parent },
	{ "traced", sleep_traced },
	{ "vfork", sleep_in_vfork },
	{ "page-fault", sleep_in_page_fault },
	{ "kernel-fault", sleep_in_kernel_page_fault },
	{ "file-write", sleep_in_file_write },
	{ "file-wait", wait_for_file },
	{ "posix-lock", wait_for_posix_lock },
	{ "user-loop", run_in_user_mode },
};

static void *run_thread(void *arg)
{
	const struct sort *sort = arg;

	prctl(PR_SET_NAME, sort->name);
	sort->run();
	return NULL;
}

static void start_threads(unsigned long count)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (unsigned long i = 0; i < count; i++) {
		int error = pthread_create(&thread, &attr, run_thread, (void *)&sorts[i % 4]);
		if (error) {
			fprintf(stderr, "thread %lu: %s\n", i, strerror(error));
			exit(1);
		}
	}
	pause();
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "threads"))
		start_threads(strtoul(argv[2], NULL, 10));
	for (size_t i = 0; argc == 2 && i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (!strcmp(argv[1], sorts[i].name))
			run_thread((void *)&sorts[i]);
	fprintf(stderr, "usage: tasks NAME | tasks threads N\n");
	return 1;
}
