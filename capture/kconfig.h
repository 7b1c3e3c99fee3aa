/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel's configuration, where it or the distribution tells it. */
#ifndef LOCKDUMP_KCONFIG_H
#define LOCKDUMP_KCONFIG_H

#include <stdbool.h>

/*
 * Its text: as the kernel tells it itself (CONFIG_IKCONFIG_PROC), else as distributions keep it; NULL: nobody
 * does. The caller frees it. @root: "" but in tests.
 */
char *kconfig_read(const char *root, const char *release);

/* Whether the option, "CONFIG_BPF", is y or m. */
bool kconfig_has(const char *text, const char *option);

#endif
