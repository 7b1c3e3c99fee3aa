/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LOCKDUMP_DIGEST_H
#define LOCKDUMP_DIGEST_H

#include "base/error.h"

#define SHA256_HEX_SIZE 65

/* The SHA-256 of all that @fd has from its position on, in hexadecimal. @name is for the error. */
struct error *sha256_of(int fd, const char *name, char ret[static SHA256_HEX_SIZE]);

#endif
