/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 'arm' built and loaded, kept for those who ask afterwards: the initramfs, and beside it armed.json
 * ("lockdump.armed/1"), both in the state folder.
 */
#ifndef LOCKDUMP_ARMED_H
#define LOCKDUMP_ARMED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vector.h"
#include "kdump/digest.h"
#include "kdump/machine.h"
#include "kdump/store.h"
#include "kdump/strings.h"

#define ARMED_INITRAMFS "initramfs"

/* A file that the initramfs was made of, or the kernel. */
struct armed_input {
	char *file;
	char sha256[SHA256_HEX_SIZE];
};

struct armed {
	double time_s; /* since 1970 */
	struct machine machine; /* as it was then */
	unsigned long reserved_kb;

	char kernel_file[PATH_MAX]; /* the capture kernel */
	char kernel_release[72]; /* its */
	char loaded_by[32];
	uint64_t loaded_at; /* the initramfs's physical address; 0: not known */

	off_t initramfs_size;
	char initramfs_sha256[SHA256_HEX_SIZE];
	VECTOR(struct armed_input) inputs;
	char makedumpfile[32]; /* its version */

	char store[PATH_MAX];
	char store_uuid[64]; /* of its file system */
	char store_device[64];
};

/* Adds the file to the inputs, as it is now. */
struct error *armed_add_input(struct armed *armed, const char *file);

/*
 * Keeps the initramfs @file, whose size and digest go into @armed, and @armed, in the state folder under @root. What was
 * there goes first: a half-written state is none.
 */
struct error *armed_keep(const char *root, const char *file, struct armed *armed);

/* Forgets both. */
void armed_forget(const char *root);

/* Reads armed.json. ERROR_NOT_FOUND if nothing was armed. */
struct error *armed_read(const struct incident *folder, struct armed *ret);

void armed_deinit(struct armed *armed);

/* Whether the file of an input is there (else errno is why), and as it was. */
bool armed_input_holds(const char *root, const struct armed_input *input);

#endif
