/* SPDX-License-Identifier: GPL-2.0-only */
/* A BPF file system where nobody else sees it, for tests; it takes root, and a kernel with BPF. */
#ifndef TESTS_MAKE_BPFFS_H
#define TESTS_MAKE_BPFFS_H

#define BPFFS_PATH_SIZE 64

/* Makes a folder that one can be mounted on: this process's mounts are its own from now on. Skips the test if it must. */
void make_bpffs_folder(char ret[BPFFS_PATH_SIZE]);

/* And mounts it. */
void make_bpffs(char ret[BPFFS_PATH_SIZE]);

/* An array map that can be mapped, of @count elements of @size bytes; skips the test if there can be none. */
int make_bpf_map(unsigned int size, unsigned int count);

/* Unmounts and removes. */
void remove_bpffs(const char *path);

#endif
