/* SPDX-License-Identifier: GPL-2.0-only */
/* What an 'arm' that went well has left under a root. */
#ifndef TESTS_MAKE_ARMED_H
#define TESTS_MAKE_ARMED_H

#include "kdump/armed.h"
#include "make_root.h"

/* Keeps the initramfs @data, and @armed, in which it fills in what is to be said of that. */
void make_armed(const struct made_root *root, const void *data, size_t size, struct armed *armed);

#endif
