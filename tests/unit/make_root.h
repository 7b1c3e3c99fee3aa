/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder that stands for the machine's root, with files in it as tests want them. */
#ifndef TESTS_MAKE_ROOT_H
#define TESTS_MAKE_ROOT_H

#include <stddef.h>

struct made_root {
	char path[32];
};

void make_root(struct made_root *root);
void make_root_remove(struct made_root *root);

/* The same as a test's setup and teardown: *state is the root. */
int make_root_setup(void **state);
int make_root_teardown(void **state);

/* The path of the file @path under it, whose folders are made; gone with the next call. */
const char *make_root_place(const struct made_root *root, const char *path);

void make_root_write(const struct made_root *root, const char *path, const void *data, size_t size);
void make_root_text(const struct made_root *root, const char *path, const char *text);
void make_root_unlink(const struct made_root *root, const char *path);

#endif
