/* SPDX-License-Identifier: GPL-2.0-only */
/* The readers of the kernel's log buffers, each of a generation of printk; dmesg.c chooses one. */
#ifndef LOCKDUMP_PRINTK_H
#define LOCKDUMP_PRINTK_H

#include "state/dmesg.h"

/* A record as it lies in the buffer. The strings are copied. */
struct printk_record {
	uint64_t t_ns;
	unsigned int level;
	bool has_caller;
	uint32_t caller;
	const char *subsystem, *device; /* ended by 0; NULL or "": none */
	const char *text; /* may have several lines */
	size_t size;
};

/* Adds the record's lines to the log. */
struct error *dmesg_add(struct dmesg *dmesg, const struct printk_record *record);

/* Since 5.10: printk_ring.c. */
struct error *printk_ring_read(struct dmesg *dmesg, struct memory *memory,
			       const struct vmcoreinfo *info);

/* Up to 5.9: printk_log.c. */
struct error *printk_log_read(struct dmesg *dmesg, struct memory *memory,
			      const struct vmcoreinfo *info);

#endif
