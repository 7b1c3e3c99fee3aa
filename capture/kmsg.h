/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log as it is written, and what its own watchdogs say in it. */
#ifndef LOCKDUMP_KMSG_H
#define LOCKDUMP_KMSG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "bpf/record.h"

#define KMSG_PATH "/dev/kmsg"
#define KMSG_SIZE \
	8192 /* the kernel's longest record (CONSOLE_EXT_LOG_MAX, then PRINTKRB_RECORD_MAX) */

struct kmsg {
	bool from_kernel; /* users may write to the log, but never in the kernel's name */
	uint64_t time_us; /* since boot */
	char *text; /* one line, control characters replaced */
};

/* A record as a read of /dev/kmsg gives it, "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT\n KEY=VALUE\n...", which is changed. */
bool kmsg_parse(char *record, struct kmsg *ret);

/* What a watchdog of the kernel's complains of. */
struct complaint {
	enum record_kind kind;
	unsigned int stuck_s; /* for so long already; 0: it does not say */
	unsigned int cpu; /* of a soft lockup */
	unsigned int pid; /* of the task; 0: it does not say */
	char comm[16];
};

/* False: the text is none's. */
bool kmsg_is_complaint(const char *text, struct complaint *ret);

/* Writes a line to the log of the kernel as a critical one; what is too long for it is cut off. */
void kmsg_write(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole log, a line each, as dmesg has it. */
struct error *kmsg_print_all(const char *path, FILE *out);

#endif
