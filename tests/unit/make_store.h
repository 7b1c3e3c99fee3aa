/* SPDX-License-Identifier: GPL-2.0-only */
/* Stores, made for tests. */
#ifndef LOCKDUMP_MAKE_STORE_H
#define LOCKDUMP_MAKE_STORE_H

#include "kdump/store.h"

struct store {
	char path[64];
};

/* For a fixture: an empty store, in *@state. */
int make_store(void **state);
int remove_store(void **state);

/* Writes a file of the incident @id, which is made if it is not there. */
void store_add(const struct store *store, const char *id, const char *name, const char *text);

/* The same of a manifest with these @members besides its schema. */
void store_add_manifest(const struct store *store, const char *id, const char *members);

#endif
