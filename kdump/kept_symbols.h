/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's /proc/kallsyms, kept for its dump. Since 6.0 the vmcoreinfo tells where
 * kallsyms are (commit 5fd8fea935a1); before, a dump does not. After the crash it is too late, and the
 * addresses are others in each boot.
 */
#ifndef LOCKDUMP_KEPT_SYMBOLS_H
#define LOCKDUMP_KEPT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define KEPT_SYMBOLS_PATH "/etc/lockdump/kallsyms" /* in the capture environment */
#define KEPT_SYMBOLS_NAME "kallsyms" /* in an incident */

struct kept_symbols {
	char *text; /* NULL: none are kept */
	size_t size;
};

/* Whether the running kernel's dumps lack what leads to kallsyms; also if that cannot be told. */
bool kept_symbols_needed(void);

/* Reads the file @path, which is as /proc/kallsyms; an error if the kernel hides the addresses. */
struct error *kept_symbols_read(const char *path, struct kept_symbols *ret);
void kept_symbols_deinit(struct kept_symbols *symbols);

#endif
