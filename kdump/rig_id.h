/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which machine an incident is of. A store on a network file system may have those of many, and each sees to its own alone:
 * it knows neither the others' limits nor what they are at.
 */
#ifndef LOCKDUMP_RIG_ID_H
#define LOCKDUMP_RIG_ID_H

#include <stdbool.h>

#include "kdump/store.h"

#define RIG_ID_SIZE 33

/*
 * A name of this machine that stays, made of /etc/machine-id, which is nobody else's business (machine-id(5)); empty if
 * there is none.
 */
void rig_id_read(char ret[static RIG_ID_SIZE]);

/* Whether the incident says, in its manifest or rig.json, that it is of the machine @rig. */
bool rig_id_is_named(const char *rig, const struct incident *incident);

/* Whether it says that it is of another; to a machine without a name none does. */
bool rig_id_is_others(const char *rig, const struct incident *incident);

/* Whether it is of that machine: all in a store that no other can have mounted are its own. */
bool rig_id_owns(const char *rig, const struct incident *incident);

#endif
