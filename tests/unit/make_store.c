// SPDX-License-Identifier: GPL-2.0-only
#include "make_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "make_dump.h"
#include "test.h"

int make_store(void **state)
{
	struct store *store = calloc(1, sizeof(*store));

	*state = store;
	strcpy(store->path, "/tmp/lockdump-test.XXXXXX");
	return mkdtemp(store->path) ? 0 : -1;
}

int remove_store(void **state)
{
	struct store *store = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", store->path);
	int ret = system(command);
	free(store);
	return ret;
}

void store_add(const struct store *store, const char *id, const char *name, const char *text)
{
	struct incident incident;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", store->path, id);
	mkdir(path, 0700);
	assert_no_error(incident_open(store->path, id, &incident));
	assert_no_error(incident_write(&incident, name, text, strlen(text)));
	incident_close(&incident);
}

void store_add_manifest(const struct store *store, const char *id, const char *members)
{
	char text[4096];

	snprintf(text, sizeof(text), "{\"schema\": \"lockdump.manifest/1\", %s}", members);
	store_add(store, id, "manifest.json", text);
}
