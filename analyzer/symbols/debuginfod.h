/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug information from the servers that DEBUGINFOD_URLS names. */
#ifndef LOCKDUMP_DEBUGINFOD_H
#define LOCKDUMP_DEBUGINFOD_H

#include "symbols/build_id.h"

struct debuginfod;

/*
 * Fetches the file with the debug information of @id into debuginfod's cache; the caller frees its path. *@server is
 * made at the first call. No server's having it is ERROR_NOT_FOUND.
 */
struct error *debuginfod_fetch(struct debuginfod **server, const struct build_id *id, char **ret);
void debuginfod_end(struct debuginfod *server);

#endif
