/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 'test' does and 'status' does not: it unpacks the initramfs and runs what is in it, in a root and a mount namespace of
 * their own, as the capture kernel would.
 */
#ifndef LOCKDUMP_REHEARSAL_H
#define LOCKDUMP_REHEARSAL_H

#include "capture/links.h"

struct rehearsal {
	char folder[64]; /* where it is unpacked; "": nowhere */
	uint64_t data_size; /* bytes of memory that a dump has to have; 0: not known */
};

/* Unpacks it, and adds what it finds to @links. The caller ends it with rehearsal_deinit(). */
void rehearsal_unpack(struct links *links, struct rehearsal *ret);
void rehearsal_deinit(struct rehearsal *rehearsal);

/* Its lockdump and its makedumpfile start, and makedumpfile knows this kernel. @proven: a drill's dump was, on it. */
void rehearsal_run(struct links *links, struct rehearsal *rehearsal, bool proven);

/* It looks for the disk that the store is on, and has the modules that lead there. */
void rehearsal_device(struct links *links, const struct rehearsal *rehearsal);

#endif
