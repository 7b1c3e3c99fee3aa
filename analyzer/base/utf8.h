/* SPDX-License-Identifier: GPL-2.0-only */
/* Characters in texts of unknown origin. */
#ifndef LOCKDUMP_UTF8_H
#define LOCKDUMP_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at @s, 0 if it is none (RFC 3629); of the end of the text, 1. @ret, which may be NULL, gets its code. */
size_t utf8_next(const char *s, uint32_t *ret);

#endif
