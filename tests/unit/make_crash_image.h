/* SPDX-License-Identifier: GPL-2.0-only */
/* A crash kernel that is loaded, as the kernel's own memory has it: /proc/kcore, /proc/kallsyms and BTF under a root. */
#ifndef TESTS_MAKE_CRASH_IMAGE_H
#define TESTS_MAKE_CRASH_IMAGE_H

#include "make_root.h"

/* The reserved memory: 64 KB. */
#define CRASH_MEMORY 0x30000000ul

/* The first segment, of one page, and a second one that is the @size bytes at @data. */
#define CRASH_SEGMENT (CRASH_MEMORY + 0x3000)

/* @size 0: there is no second segment, though @data's first page is in memory all the same. */
void make_crash_image(const struct made_root *root, const void *data, size_t size);

#endif
