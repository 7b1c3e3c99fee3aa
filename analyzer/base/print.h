/* SPDX-License-Identifier: GPL-2.0-only */
/* Text out of a dump on a terminal, which it must not steer. */
#ifndef LOCKDUMP_PRINT_H
#define LOCKDUMP_PRINT_H

#include <stdio.h>

/*
 * Prints @s, with a '?' for each control character but tabs (newlines and escape sequences), for what would change the order
 * of the others, and for each byte that is of no UTF-8 character.
 */
void print_text(const char *s, FILE *out);

/* The same in place; @s never grows. */
void clean_text(char *s);

#endif
