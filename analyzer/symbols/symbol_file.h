/* SPDX-License-Identifier: GPL-2.0-only */
/* The core kernel's symbols from a file, for dumps that do not give them. */
#ifndef LOCKDUMP_SYMBOL_FILE_H
#define LOCKDUMP_SYMBOL_FILE_H

#include "symbols/build_id.h"
#include "symbols/kallsyms.h"

/*
 * Reads @path, which is known by what is in it: a /proc/kallsyms of the boot that crashed, a System.map, or a
 * vmlinux. A file that is not of this kernel, by the symbols and the build id that @info tells, is refused.
 */
struct error *symbol_file_load(const char *path, const struct vmcoreinfo *info,
			       struct kallsyms *ret);

/* Whether @path is a vmlinux with that build id, and has symbols. */
bool symbol_file_is_of(const char *path, const struct build_id *wanted);

/* The BTF of the vmlinux @path, which must be this kernel's: malloc'ed, not parsed. */
struct error *symbol_file_btf(const char *path, const struct vmcoreinfo *info, void **ret,
			      size_t *size_ret);

#endif
