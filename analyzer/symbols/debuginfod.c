// SPDX-License-Identifier: GPL-2.0-only
/*
 * libdebuginfod brings curl and all that curl brings: threads, sockets, certificates, a cache that is written to. An
 * analysis in its sandbox has none of that, so the library is used by a process outside, which is told a build id and
 * answers with an open file. It is loaded when it is needed: the capture kernel, which asks no servers, does without.
 */
#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LIBRARY "libdebuginfod.so.1"

/* A question is a struct build_id. With an answer that has a path comes the open file. */
struct answer {
	enum error_class class; /* ERROR_OTHER and worse: text says why there is no file */
	bool found;
	char text[PATH_MAX];
};

typedef struct debuginfod_client client;

struct library {
	void *handle;
	client *client; /* NULL: not loaded yet, or it cannot be */
	client *(*begin)(void);
	void (*end)(client *);
	int (*find)(client *, const unsigned char *id, int size, char **path);
	void (*set_progress)(client *, int (*)(client *, long, long));
};

/* On a terminal: these files are large. */
static int progress(client *c, long done, long size)
{
	(void)c;
	if (size > 0)
		fprintf(stderr, "\rlockdump: debuginfod: %3ld %% of %ld MB", done * 100 / size,
			size >> 20);
	return 0;
}

/* False, with the reason in @answer, if it cannot be used. */
static bool load(struct library *library, struct answer *answer)
{
	if (library->client)
		return true;
	library->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle) {
		snprintf(answer->text, sizeof(answer->text),
			 "DEBUGINFOD_URLS is set, but not used: install libdebuginfod1: %s",
			 dlerror());
		return false;
	}
	*(void **)&library->begin = dlsym(library->handle, "debuginfod_begin");
	*(void **)&library->end = dlsym(library->handle, "debuginfod_end");
	*(void **)&library->find = dlsym(library->handle, "debuginfod_find_debuginfo");
	*(void **)&library->set_progress = dlsym(library->handle, "debuginfod_set_progressfn");
	if (library->begin && library->end && library->find && library->set_progress)
		library->client = library->begin();
	if (!library->client) {
		snprintf(answer->text, sizeof(answer->text), "%s: cannot be used", LIBRARY);
		return false;
	}
	if (isatty(STDERR_FILENO))
		library->set_progress(library->client, progress);
	return true;
}

/* Returns the open file, or below 0. */
static int find(struct library *library, const struct build_id *id, struct answer *answer)
{
	_cleanup_free_ char *path = NULL;
	char text[2 * BUILD_ID_MAX + 1];

	if (!load(library, answer))
		return -1;
	int fd = library->find(library->client, id->bytes, id->size, &path);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	answer->found = fd >= 0 && path && strlen(path) < sizeof(answer->text);
	if (answer->found) {
		strcpy(answer->text, path);
		return fd;
	}
	build_id_text(id, text);
	answer->class = fd == -ENOENT ? ERROR_NOT_FOUND : ERROR_OTHER;
	snprintf(answer->text, sizeof(answer->text), "debuginfod: build id %s: %s", text,
		 strerror(fd < 0 ? -fd : ENAMETOOLONG));
	return fd;
}

/* Space for one descriptor beside a message. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static bool send_answer(int socket, struct answer *answer, int fd)
{
	struct iovec data = { answer, sizeof(*answer) };
	union control control = {};
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (answer->found) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(*answer);
}

/* The life of the process: until nobody is left who might ask. Who asks is not trusted. */
static void serve(int socket)
{
	struct library library = {};
	struct build_id id;

	while (read(socket, &id, sizeof(id)) == sizeof(id)) {
		struct answer answer = { .class = ERROR_OTHER };
		int fd = -1;
		if (!id.size || id.size > BUILD_ID_MAX)
			break;
		fd = find(&library, &id, &answer);
		bool sent = send_answer(socket, &answer, fd);
		if (fd >= 0)
			close(fd);
		if (!sent)
			break;
	}
	if (library.client)
		library.end(library.client);
}

struct error *debuginfod_start(struct debuginfod *ret)
{
	int sockets[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error_errno("debuginfod");
	fflush(NULL);
	ret->pid = fork();
	if (ret->pid < 0) {
		struct error *err = error_errno("debuginfod");
		close(sockets[0]);
		close(sockets[1]);
		return err;
	}
	if (!ret->pid) {
		close(sockets[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve(sockets[1]);
		/* Nothing that curl and its like would do at the end is of use. */
		_exit(0);
	}
	close(sockets[1]);
	ret->socket = sockets[0];
	return NULL;
}

void debuginfod_stop(struct debuginfod *server)
{
	close(server->socket);
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

struct error *debuginfod_fetch(const struct debuginfod *server, const struct build_id *id, int *ret,
			       char **path)
{
	_cleanup_free_ struct answer *answer = malloc(sizeof(*answer));
	struct iovec data = { answer, sizeof(*answer) };
	union control control = {};
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	if (!answer)
		return &error_no_memory;
	if (write(server->socket, id, sizeof(*id)) != sizeof(*id) ||
	    recvmsg(server->socket, &message, MSG_CMSG_CLOEXEC) != sizeof(*answer))
		return error_create(ERROR_OTHER, "debuginfod: the process that asks has ended");
	if (!answer->found)
		return error_create(answer->class, "%s", answer->text);
	if (message.msg_controllen < sizeof(control) || control.header.cmsg_type != SCM_RIGHTS)
		return error_create(ERROR_OTHER, "debuginfod: %s: no file", answer->text);
	memcpy(ret, CMSG_DATA(&control.header), sizeof(*ret));
	*path = strdup(answer->text);
	if (*path)
		return NULL;
	close(*ret);
	return &error_no_memory;
}
