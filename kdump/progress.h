/* SPDX-License-Identifier: GPL-2.0-only */
/* What the capture kernel's console shows. */
#ifndef LOCKDUMP_PROGRESS_H
#define LOCKDUMP_PROGRESS_H

#include <stdbool.h>

#include "base/error.h"

struct run;

/* Prints "lockdump capture: 3.2 s  TEXT", the time since this kernel booted, as one line on stderr. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* run_function() for who has nobody else to tell: an error is shown, as @name's. True: there was none. */
bool progress_run(struct run *run, const char *name, struct error *(*function)(void *arg),
		  void *arg);

#endif
