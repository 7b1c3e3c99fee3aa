/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture inside the distribution's capture environment, the host: lockdump does its part before the host's own tool saves
 * the vmcore, which stays where the host's users look for it; the incident gets a link to it.
 */
#ifndef LOCKDUMP_HOSTED_H
#define LOCKDUMP_HOSTED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "kdump/armed.h"
#include "kdump/config.h"
#include "kdump/state_folder.h"

/* What 'arm' tells it, in the rig's own file system, if that is what the host has mounted; else the host's initramfs has it there. */
#define HOSTED_CONFIG  STATE_FOLDER "/" ARMED_CONFIG
#define HOSTED_SYMBOLS STATE_FOLDER "/" ARMED_SYMBOLS

/* Of what the host's own tool may take beyond its limit. */
#define HOSTED_GRACE_S 30

/*
 * A crash was here, and 'arm --with @with' wants lockdump to see to it, as @ret, which is the caller's then, has it. @path is
 * HOSTED_CONFIG but in tests.
 */
bool hosted_is_due(const char *path, const char *with, struct config *ret);

/*
 * Finds the dump that was written since @since, in a folder of @dir: "FOLDER/dump.202611231748" or "FOLDER/vmcore". False: there is
 * none, or it is not whole. @ret is its path.
 */
bool hosted_find_dump(const char *dir, time_t since, char ret[static PATH_MAX]);

/*
 * Steps, whose argument is a struct capture; found->host_dump says where the vmcore is. The first has the host save it, and links
 * it; the second is for a host that was to do so by itself, and has told how that went.
 */
struct error *step_host_vmcore(void *arg);
struct error *step_host_link(void *arg);

#endif
