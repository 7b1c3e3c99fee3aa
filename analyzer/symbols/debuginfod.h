/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug information from the servers that DEBUGINFOD_URLS names. */
#ifndef LOCKDUMP_DEBUGINFOD_H
#define LOCKDUMP_DEBUGINFOD_H

#include <sys/types.h>

#include "symbols/build_id.h"

/* The servers are asked by a process of its own, so that the one that reads a dump needs no network. */
struct debuginfod {
	int socket;
	pid_t pid;
};

/* Starts it. What it needs is loaded when it is first asked. */
struct error *debuginfod_start(struct debuginfod *ret);
void debuginfod_stop(struct debuginfod *server);

/*
 * Fetches the file with the debug information of @id into debuginfod's cache. The caller closes *@ret, the open file,
 * and frees *@path. No server's having it is ERROR_NOT_FOUND.
 */
struct error *debuginfod_fetch(const struct debuginfod *server, const struct build_id *id, int *ret,
			       char **path);

#endif
