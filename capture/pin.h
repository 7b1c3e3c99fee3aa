/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives the controller: maps and links that have a name in the BPF file system. A map or a link lives as long
 * as somebody has it open or it has such a name; who removes the last name of a link that nobody has open detaches its
 * program, once an RCU grace period is over.
 *
 * There is one folder, root's alone, and each thing in it is found by its name, which may have no dots.
 */
#ifndef LOCKDUMP_PIN_H
#define LOCKDUMP_PIN_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "base/error.h"
#include "state/record_pin.h"

#define PIN_BPFFS     RECORD_PIN_BPFFS
#define PIN_DIR_NAME  RECORD_PIN_DIR
#define PIN_PATH_SIZE 128
#define PIN_RECORD    RECORD_PIN_NAME /* the flight record's map */
#define PIN_HOOK      "hook-" /* then a program's name: the recorder's links */
#define PIN_TRIGGER   "trigger-" /* the same of the kernel trigger's */
#define PIN_PROBE     "probe-" /* and of the probes' */

struct pins {
	char dir[PIN_PATH_SIZE]; /* empty: there is no folder, and nothing is pinned */
};

/*
 * Makes sure that there is a folder PIN_DIR_NAME in the BPF file system at @bpffs (PIN_BPFFS), which is mounted if it is
 * not. On an error @ret has no folder: all below can still be called, and do nothing.
 */
struct error *pins_open(const char *bpffs, struct pins *ret);

/* Gives it the name @name, which must be free. Without a folder that is no error. */
struct error *pin_map(const struct pins *pins, const struct bpf_map *map, const char *name);
struct error *pin_link(const struct pins *pins, const struct bpf_link *link, const char *name);

/* A descriptor of what has that name; below 0, with errno, if nothing has. */
int pin_get(const struct pins *pins, const char *name);

/* Takes the name away, if there is one. */
void pin_remove(const struct pins *pins, const char *name);

/* Takes away all names that begin with @prefix; "" is all there are. */
void pin_remove_all(const struct pins *pins, const char *prefix);

/* As long as this process lives, so does what has such a name, though others take that away. */
void pin_hold(const struct pins *pins, const char *prefix);

/* Calls @function for each name that begins with @prefix, until it returns false. */
void pin_each(const struct pins *pins, const char *prefix,
	      bool (*function)(const char *name, void *arg), void *arg);

/* Takes away all names, the trigger's first, and the folder. */
void pins_destroy(const struct pins *pins);

#endif
