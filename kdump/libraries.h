/* SPDX-License-Identifier: GPL-2.0-only */
/* The shared libraries that a program needs. */
#ifndef LOCKDUMP_LIBRARIES_H
#define LOCKDUMP_LIBRARIES_H

#include "base/error.h"
#include "kdump/strings.h"

/*
 * Adds the files of the libraries that @program would be run with to @ret, and
 * its dynamic loader's path, as the program has it, to @ret_loaders. Neither gets one twice.
 */
struct error *libraries_of(const char *program, struct strings *ret, struct strings *ret_loaders);

#endif
