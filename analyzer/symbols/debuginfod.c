// SPDX-License-Identifier: GPL-2.0-only
/*
 * libdebuginfod brings curl and all that curl brings. It is loaded when it is needed, so that the capture kernel's
 * initramfs, which never asks a server, does without.
 */
#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LIBRARY "libdebuginfod.so.1"

typedef struct debuginfod_client client;

struct debuginfod {
	void *library;
	client *client;
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

static struct error *load(struct debuginfod *server)
{
	server->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!server->library)
		return error_create(
			ERROR_OTHER,
			"DEBUGINFOD_URLS is set, but not used: install libdebuginfod1: %s",
			dlerror());
	*(void **)&server->begin = dlsym(server->library, "debuginfod_begin");
	*(void **)&server->end = dlsym(server->library, "debuginfod_end");
	*(void **)&server->find = dlsym(server->library, "debuginfod_find_debuginfo");
	*(void **)&server->set_progress = dlsym(server->library, "debuginfod_set_progressfn");
	if (server->begin && server->end && server->find && server->set_progress)
		server->client = server->begin();
	if (!server->client)
		return error_create(ERROR_OTHER, "%s: cannot be used", LIBRARY);
	if (isatty(STDERR_FILENO))
		server->set_progress(server->client, progress);
	return NULL;
}

struct error *debuginfod_fetch(struct debuginfod **server, const struct build_id *id, char **ret)
{
	char text[2 * BUILD_ID_MAX + 1];

	*ret = NULL;
	if (!*server) {
		*server = calloc(1, sizeof(**server));
		struct error *err = *server ? load(*server) : &error_no_memory;
		if (err)
			return err;
	}
	/* Said once, when it was loaded. */
	if (!(*server)->client)
		return error_create(ERROR_NOT_FOUND, "%s: not there", LIBRARY);
	int fd = (*server)->find((*server)->client, id->bytes, id->size, ret);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (fd >= 0) {
		close(fd);
		return NULL;
	}
	build_id_text(id, text);
	return error_create(fd == -ENOENT ? ERROR_NOT_FOUND : ERROR_OTHER,
			    "debuginfod: build id %s: %s", text, strerror(-fd));
}

void debuginfod_end(struct debuginfod *server)
{
	if (!server)
		return;
	if (server->client)
		server->end(server->client);
	if (server->library)
		dlclose(server->library);
	free(server);
}
