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

/* A table, of which a page may be missing. */
struct printk_table {
	uint8_t *bytes; /* zeros where nothing could be read */
	uint64_t size;
	uint64_t start; /* of the table in its first page */
	uint8_t *missing; /* a flag for each page */
	struct error *error; /* of the first that is missing, or NULL */
};

/* Fails if more is missing than is there. */
struct error *printk_table_read(struct printk_table *table, struct memory *memory, uint64_t va,
				uint64_t size, uint64_t most);
void printk_table_deinit(struct printk_table *table);

/* Whether @size bytes at @offset, which must be in the table, were read. */
bool printk_table_has(const struct printk_table *table, uint64_t offset, uint64_t size);

#endif
