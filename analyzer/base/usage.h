/* SPDX-License-Identifier: GPL-2.0-only */
/* Wrong usage of a verb: one line on stderr, and the exit status 2. */
#ifndef LOCKDUMP_USAGE_H
#define LOCKDUMP_USAGE_H

/* Prints "lockdump: VERB: MESSAGE; see 'lockdump VERB --help'" and returns 2. */
int usage_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same of what getopt_long() returned '?' or ':' for, with opterr 0, an option string that begins with ':', and
 * long options that have letters or numbers from 256 on.
 */
int usage_bad_option(char **argv, int c);

#endif
