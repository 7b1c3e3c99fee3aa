/* SPDX-License-Identifier: GPL-2.0-only */
/* What this rig keeps of itself between commands and boots: root's alone. */
#ifndef LOCKDUMP_STATE_FOLDER_H
#define LOCKDUMP_STATE_FOLDER_H

#include "base/json.h"
#include "kdump/store.h"

#define STATE_FOLDER "/var/lib/lockdump"

/* Opens it under @root, "" but in tests. @ret is used, and closed, like an incident. ERROR_NOT_FOUND if it is not there. */
struct error *state_folder_open(const char *root, struct incident *ret);

/* The same, and makes it if it is not there. */
struct error *state_folder_make(const char *root, struct incident *ret);

/* Writes @json, which it frees, as the file @name: whole and synced, or not at all. */
struct error *state_folder_write(const struct incident *folder, const char *name,
				 struct json_object *json);

/* Takes the file @name away, if it is there. */
void state_folder_remove(const struct incident *folder, const char *name);

#endif
