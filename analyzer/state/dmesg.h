/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log out of a dump. */
#ifndef LOCKDUMP_DMESG_H
#define LOCKDUMP_DMESG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/vector.h"
#include "dump/memory.h"

/* In dmesg_line.caller, which then is a CPU that was in an interrupt. */
#define DMESG_CALLER_CPU 0x80000000u

struct dmesg_line {
	uint64_t t_ns; /* since boot, printk's clock */
	unsigned int level; /* 0..7 */
	const char *text; /* no newline at the end; control characters as they were */
	bool has_caller;
	uint32_t caller; /* who logged it: a task's pid, or DMESG_CALLER_CPU and a CPU */
	/* Which it is about, "pci" and "+pci:0000:00:01.0"; NULL: none. */
	const char *subsystem, *device;
};

struct dmesg {
	VECTOR(struct dmesg_line) lines;
	struct arena text;
	struct error *error; /* why it is not whole, or NULL */
};

/* Reads the log. Without a log in the dump at all it is empty and dmesg->error says why. */
void dmesg_init(struct dmesg *dmesg, struct memory *memory, const struct vmcoreinfo *info);
void dmesg_deinit(struct dmesg *dmesg);

/*
 * Writes the log of the vmcore @path as dmesg(1) prints it: "[    1.234567] text", a line each. It needs neither
 * symbols nor types: where nothing else can be had of a dump, this can.
 */
struct error *dmesg_print(const char *path, FILE *out);

#endif
