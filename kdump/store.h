/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store of incidents: STORE/ID/FILE and STORE/ID/FOLDER/FILE, as the controller begins it
 * and the capture kernel completes it. Files are 0600, folders 0700, and a name that
 * stands there is whole: it was written under another name, synced, renamed.
 */
#ifndef LOCKDUMP_STORE_H
#define LOCKDUMP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

#define STORE_DEFAULT "/var/crash"

/* An incident's dump, which has one of these names. */
#define INCIDENT_VMCORE		  "vmcore"
#define INCIDENT_VMCORE_ENCRYPTED "vmcore.age" /* a flattened one, encrypted by age */

#define INCIDENT_ID_SIZE 40
#define INCIDENT_ID_STEM 25 /* without the "-2" of a clash */

#define INCIDENT_PATH_SIZE 64

struct incident {
	int dirfd;
	char id[INCIDENT_ID_SIZE];
};

/*
 * Makes a new incident's folder in @store (which must exist). @onset_s: seconds since 1970. @boot_id: as
 * /proc/sys/kernel/random/boot_id has it. On a clash the ID gets "-2", "-3", ...
 */
struct error *incident_create(const char *store, int64_t onset_s, const char *boot_id,
			      struct incident *ret);

/* Opens the folder of incident @id, which comes out of a crashed kernel's memory: only a valid ID is taken. */
struct error *incident_open(const char *store, const char *id, struct incident *ret);

/* The same in a store that is open. */
struct error *incident_open_at(int storefd, const char *id, struct incident *ret);

/* Whether @id is one, and so leads to no other place. */
bool incident_id_is_valid(const char *id);

/* Whether @id is valid, and of the boot @boot_id, which is as /proc has it. */
bool incident_id_is_of_boot(const char *id, const char *boot_id);

/* Of a valid ID: seconds since 1970. */
int64_t incident_id_onset(const char *id);

/* Which of two valid IDs is older, as strcmp(3) has it. */
int incident_id_compare(const char *a, const char *b);

/* Makes the folder of incident @id, which must not be there. */
struct error *incident_make(const char *store, const char *id, struct incident *ret);

/* Opens the folder @name inside @incident, and makes it if it is not there. @ret is used, and closed, like an incident. */
struct error *incident_open_folder(const struct incident *incident, const char *name,
				   struct incident *ret);

void incident_close(struct incident *incident);

/*
 * Calls @visit with each incident that incident_open_ours() opens, in no order, until it returns true. An error only if
 * @store cannot be read.
 */
struct error *store_walk_ours(const char *store,
			      bool (*visit)(const struct incident *incident, void *arg), void *arg);

/*
 * Says to the other processes of this machine that @incident, while it is open, is being written; incident_create() does.
 * incident_try_lock() is for who wants it for himself: false if somebody holds it.
 */
void incident_hold(const struct incident *incident);
bool incident_try_lock(const struct incident *incident);

/* Whether nobody but us and root can change what is in @incident's folder: who may write to the store may have made it. */
bool incident_is_ours(const struct incident *incident);

/* incident_open(), and an error if that is not so: for who does something by what is in it, and is not asked before. */
struct error *incident_open_ours(const char *store, const char *id, struct incident *ret);

/* Bytes that an ordinary process may still write to @store; 0 if that cannot be asked. */
off_t store_room(const char *store);

/* Whether other machines may have their incidents there too: @fd is of a file or folder of the store. */
bool store_is_shared(int fd);

/* Writes the file @name whole or not at all: a failure leaves no file, or the one that was there. */
struct error *incident_write(const struct incident *incident, const char *name, const void *data,
			     size_t size);

/*
 * The same of many files, at the cost of one: incident_stage() writes "NAME.incomplete", and incident_publish() brings all
 * that were staged to the disk, then gives them their names.
 */
struct error *incident_stage(const struct incident *incident, const char *name, const void *data,
			     size_t size);
struct error *incident_publish(const struct incident *incident, const char *const *names,
			       size_t count);

/* Throws away what was staged as @name, if it is there. */
void incident_remove_staged(const struct incident *incident, const char *name);

/*
 * Opens a stream to "NAME.incomplete". incident_close_file() closes it, and it gets its name if @err is NULL and all
 * was written; else what was written stays as it is, for what it is worth. @file may be NULL. Returns @err, or its own.
 */
struct error *incident_open_file(const struct incident *incident, const char *name, FILE **ret);
struct error *incident_close_file(const struct incident *incident, const char *name, FILE *file,
				  struct error *err);

/* The path of its file @name for this process and its children, by the folder's descriptor. */
void incident_path(const struct incident *incident, const char *name,
		   char ret[static INCIDENT_PATH_SIZE]);

/* True if the incident has the file @name. */
bool incident_has(const struct incident *incident, const char *name);

/* Takes the file @name away, if it is there. */
struct error *incident_remove(const struct incident *incident, const char *name);

/* Gives @from, which its writer has finished, its final name: fsync, rename, fsync of the folder. */
struct error *incident_rename(const struct incident *incident, const char *from, const char *to);

#endif
