/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space sees of a stall: /proc/interrupts and the like, and the stalled tasks' files (sources.c), into folders of the
 * incident, with an index, gather.json, that says what is missing and why.
 *
 * Three layers of processes, all of them made when nothing stalls, since making one may hang when a CPU is deaf; until they
 * are asked they sleep without a timeout:
 *
 *	spooler		asks, and goes on. It waits for the answer for a bounded time only, when the incident ends
 *	gatherer	hands out what is to be read, with a time limit on each, and writes it to the store
 *	readers		read, one at a time. One that hangs is killed, one that cannot be killed is left where it is; the next
 *			goes on. When all of them hang while a CPU is deaf, the rest is left out
 *
 * To read some of the sources can cost another CPU (sources.h): those are left out when it could.
 */
#ifndef LOCKDUMP_GATHERER_H
#define LOCKDUMP_GATHERER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "kdump/store.h"

#define GATHER_MAX_STALLS 16

enum gather_folder {
	GATHER_ONSET, /* "onset": all sources; asked for once more, of more tasks, it goes into the same folder */
	GATHER_END, /* "end": what SOURCE_AGAIN says */
};

struct gather_stall {
	uint32_t cpu;
	uint32_t pid; /* 0: not known; nothing of the task is gathered */
	char comm[16];
};

struct gather_request {
	char incident[INCIDENT_ID_SIZE];
	uint32_t folder; /* enum gather_folder */
	uint32_t deaf; /* a CPU takes no interrupts: SOURCE_IRQ_LOCKS are left out */
	uint32_t nr_stalls;
	struct gather_stall stalls[GATHER_MAX_STALLS];
};

/* The spooler's end. */
struct gatherer {
	pid_t pid;
	int fd; /* -1: it does not run */
	unsigned int asked, answered;
};

/* Starts it, from a process that runs no other threads. @root: "", or a folder that stands for the machine's root. */
struct error *gatherer_start(const char *store, const char *root, struct gatherer *ret);

/* Asks for what stands in @request, and waits for nothing. Does nothing if it does not run. */
struct error *gatherer_ask(struct gatherer *gatherer, const struct gather_request *request);

/* Waits until all that was asked for is done, or until @most_ns have passed: then false. */
bool gatherer_wait(struct gatherer *gatherer, uint64_t most_ns);

/* Ends it and its readers, but those that cannot be ended. */
void gatherer_stop(struct gatherer *gatherer);

#endif
