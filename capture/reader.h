/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that reads files for another one, a file at a time. A read may hang in the kernel where not even SIGKILL
 * ends it: then the reader is given up, and who wanted the file goes on with another reader.
 *
 * Readers are started while all is well, and wait for orders: to fork takes interrupts on other CPUs, which one that is
 * deaf never answers (capture/pages.h).
 */
#ifndef LOCKDUMP_READER_H
#define LOCKDUMP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "capture/sources.h"

struct reader {
	int fd; /* -1: it takes no orders any more */
	pid_t pid; /* 0: it has ended */
	bool left; /* it takes none either, and was not killed: reader_let_go() */
};

enum reading_end {
	READING_DONE,
	READING_FAILED, /* error is why; what came before is there */
	READING_LOST, /* the reader died of it */
	READING_KILLED, /* the limit had passed, and the reader was killed */
	READING_LEFT, /* the limit had passed, and the reader must not be killed now */
	READING_STUCK, /* SIGKILL did not end it either: it is left alone */
	READING_SPINS, /* it does not end, and has not even gone to sleep: it has taken a CPU with it */
};

struct reading {
	char *data; /* the caller's, with room for capacity bytes */
	size_t capacity;
	size_t size; /* of what was read */
	bool cut; /* there was more */
	enum reading_end end;
	int error; /* errno of READING_FAILED */
	unsigned int limit_s;
	double seconds;
};

/* Who starts readers ignores SIGCHLD, as nobody waits for their end, and calls pages_own() afterwards. The reader has no file of its parent's open. */
struct error *reader_start(const char *root, struct reader *ret);

bool reader_takes_orders(const struct reader *reader);

/*
 * Has a reader that takes orders read @source, of task @pid if it is a task's. While a CPU is @deaf no reader is killed: who ends
 * gives its memory back, and spins until each CPU that may know it has taken an interrupt: in 7.2 each that it was ever on,
 * up to 6.12 not those that have switched to another since (arch/x86/mm/tlb.c, mm_cpumask).
 */
void reader_read(struct reader *reader, const struct source *source, uint32_t pid, bool deaf,
		 struct reading *reading);

/* Whether one that was given up is still there. */
bool reader_is_stuck(struct reader *reader);

/* All is well again: kills one that was left. */
void reader_let_go(struct reader *reader);

/*
 * In a child: keeps only @fd of all open files, as descriptor 3, and nothing of the terminal. Else one that cannot be killed
 * would keep a pipe's end, or the recorder, from being gone. Then *fd is 3.
 */
void keep_only(int *fd);

#endif
