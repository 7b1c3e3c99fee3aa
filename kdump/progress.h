/* SPDX-License-Identifier: GPL-2.0-only */
/* What the capture kernel's console shows. */
#ifndef LOCKDUMP_PROGRESS_H
#define LOCKDUMP_PROGRESS_H

/* Prints "lockdump capture: 3.2 s  TEXT", the time since this kernel booted, as one line on stderr. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
