// SPDX-License-Identifier: GPL-2.0-only
/* Debug information from a real debuginfod on the loopback device, which serves a program made here. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "make_program.h"
#include "test.h"

#define START_LIMIT_S 60 /* valgrind is slow, and not alone */

static const char source[] = "int function(int n)\n"
			     "{\n"
			     "	return n; /* here */\n"
			     "}\n";

static const char kernel_text[] = "symbol _text 0xffffffff81000000\n"
				  "symbol function 0xffffffff81000000\n"
				  "symbol end_of_text 0xffffffff81010000\n";

struct server {
	struct made_program program;
	pid_t pid;
	uint16_t port;
};

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(fd, (struct sockaddr *)&address, size), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&address, &size), errno);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Whether the server has the file by now; its client would remember for long that it has not. */
static bool serves(uint16_t port, const char *id)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	char text[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(text, 0, sizeof(text));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		dprintf(fd, "GET /buildid/%s/debuginfo HTTP/1.0\r\n\r\n", id);
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
	}
	close(fd);
	return strstr(text, " 200 ");
}

static int start_server(void **state)
{
	static struct server server;
	struct server *s = *state = &server;
	char url[64], folder[256];
	const struct timespec pause = { .tv_nsec = 50000000 };

	make_program(&s->program, source, MADE_AS_KERNEL);
	made_program_run(&s->program, "mkdir served cache && mv vmlinux served/");
	snprintf(folder, sizeof(folder), "%s/cache", s->program.folder);
	setenv("DEBUGINFOD_CACHE_PATH", folder, 1);
	if (system("debuginfod --version >/dev/null 2>&1"))
		return 0;
	/* The port is free again when the server takes it. */
	close(listen_somewhere(&s->port));
	snprintf(url, sizeof(url), "%u", s->port);
	snprintf(folder, sizeof(folder), "%s/served", s->program.folder);
	s->pid = fork();
	if (!s->pid) {
		unsetenv("DEBUGINFOD_URLS");
		/* Not the memory checker's, which this process may run under. */
		unsetenv("LD_PRELOAD");
		freopen("/dev/null", "w", stdout);
		freopen("/dev/null", "w", stderr);
		execlp("debuginfod", "debuginfod", "-d", ":memory:", "-p", url, "-F", folder, NULL);
		_exit(127);
	}
	for (int i = 0; i < START_LIMIT_S * 20 && !serves(s->port, MADE_BUILD_ID); i++)
		nanosleep(&pause, NULL);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", s->port);
	setenv("DEBUGINFOD_URLS", url, 1);
	return 0;
}

static int stop_server(void **state)
{
	struct server *s = *state;

	if (s->pid) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	made_program_deinit(&s->program);
	return 0;
}

static struct kernel *open_kernel(struct make_kernel *k, const char *build_id)
{
	struct debuginfod asker;
	struct kernel *kernel;

	make_kernel_init(k);
	make_kernel_text(k, made_kernel_minimum);
	make_kernel_text(k, kernel_text);
	make_kernel_line(k, "info BUILD-ID=%s", build_id);
	const struct kernel_source how = { make_dump_write(&k->dump), .debuginfod = &asker };
	assert_no_error(debuginfod_start(&asker));
	assert_no_error(kernel_open(&how, &kernel));
	/* All that there is was asked for. */
	debuginfod_stop(&asker);
	return kernel;
}

static void a_vmlinux_from_the_server(void **state)
{
	const struct server *s = *state;
	struct make_kernel k;

	if (!s->pid)
		SKIP("debuginfod is not installed");
	struct kernel *kernel = open_kernel(&k, MADE_BUILD_ID);
	assert_null(debuginfo_next_error(kernel->debuginfo));
	/* It is in the cache now. */
	assert_memory_equal(debuginfo_vmlinux(kernel->debuginfo), s->program.folder,
			    strlen(s->program.folder));
	const struct source_places *places =
		debuginfo_places(kernel->debuginfo, 0xffffffff81000001);
	assert_non_null(places);
	assert_string_equal(places->list[0].function, "function");
	assert_in_range(places->list[0].line, 2, made_program_line(source, "/* here"));
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

static void a_build_id_that_it_does_not_have(void **state)
{
	const struct server *s = *state;
	struct make_kernel k;

	if (!s->pid)
		SKIP("debuginfod is not installed");
	struct kernel *kernel = open_kernel(&k, "89abcdef89abcdef89abcdef89abcdef89abcdef");
	assert_null(debuginfo_vmlinux(kernel->debuginfo));
	assert_error(debuginfo_next_error(kernel->debuginfo), ERROR_NOT_FOUND,
		     "build id 89abcdef89abcdef89abcdef89abcdef89abcdef");
	assert_null(debuginfo_next_error(kernel->debuginfo));
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

static void a_server_that_is_not_there(void **state)
{
	struct make_kernel k;
	char url[64];
	uint16_t port;

	(void)state;
	close(listen_somewhere(&port));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	char *before = getenv("DEBUGINFOD_URLS");
	before = before ? strdup(before) : NULL;
	setenv("DEBUGINFOD_URLS", url, 1);
	struct kernel *kernel = open_kernel(&k, "7777777777777777777777777777777777777777");
	assert_null(debuginfo_vmlinux(kernel->debuginfo));
	struct error *err = debuginfo_next_error(kernel->debuginfo);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "debuginfod"));
	error_destroy(err);
	kernel_close(kernel);
	make_kernel_deinit(&k);
	if (before)
		setenv("DEBUGINFOD_URLS", before, 1);
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a vmlinux comes from debuginfod", a_vmlinux_from_the_server),
		TEST("a build id that debuginfod does not have is told of",
		     a_build_id_that_it_does_not_have),
		TEST("a server that is not there is no reason to stop", a_server_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
