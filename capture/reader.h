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
};

enum reading_end {
	READING_DONE,
	READING_FAILED, /* error is why; what came before is there */
	READING_LOST, /* the reader died of it */
	READING_KILLED, /* the limit had passed, and the reader was killed */
	READING_STUCK, /* SIGKILL did not end it either: it is left alone */
	READING_SPINS, /* the same, and it has not even gone to sleep: it has taken a CPU with it */
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

/* Has a living reader read @source, of task @pid if it is a task's. */
void reader_read(struct reader *reader, const struct source *source, uint32_t pid,
		 struct reading *reading);

/* Whether one that was given up is still there. */
bool reader_is_stuck(struct reader *reader);

/*
 * In a child: keeps only @fd of all open files, as descriptor 3, and nothing of the terminal. Else one that cannot be killed
 * would keep a pipe's end, or the recorder, from being gone. Then *fd is 3.
 */
void keep_only(int *fd);

#endif
