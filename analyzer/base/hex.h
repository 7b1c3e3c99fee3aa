/* SPDX-License-Identifier: GPL-2.0-only */
/* Hexadecimal as the kernel prints it: in lower case. */
#ifndef LOCKDUMP_HEX_H
#define LOCKDUMP_HEX_H

/* Its value, or -1. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
