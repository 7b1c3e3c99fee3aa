/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture kernel's initramfs: first what is to be in it, then the archive.
 *
 * It is not compressed. Measured on 15 MB (6 with zstd or gzip): the kernel unpacks it 0.15 s
 * sooner than zstd's and 0.7 s sooner than gzip's, what it takes once unpacked is the same, and
 * it is one program less that must be on the rig and one format less that its kernel must know.
 */
#ifndef LOCKDUMP_INITRAMFS_H
#define LOCKDUMP_INITRAMFS_H

#include <stdint.h>

#include "base/error.h"
#include "base/vector.h"
#include "kdump/config.h"
#include "kdump/digest.h"
#include "kdump/driver_modules.h"
#include "kdump/kept_symbols.h"

struct initramfs_entry {
	char *path; /* in the archive, without the leading '/' */
	unsigned int mode; /* with the file type */
	char *source; /* the file that it is a copy of; NULL: a folder, or made here */
	int fd; /* its content, open since it was looked at: what is archived is what was looked at; -1: a folder */
	uint32_t size;
	char sha256[SHA256_HEX_SIZE]; /* of the content; "": a folder */
};

struct initramfs {
	VECTOR(struct initramfs_entry) entries; /* sorted by path */
	uint64_t size; /* of the archive */
	char content
		[SHA256_HEX_SIZE]; /* of all entries: the same inputs give the same, and then the same archive */
};

/* Programs of this machine, and what one of them reads. */
struct initramfs_programs {
	const char *makedumpfile;
	const char *age; /* NULL: nothing is encrypted */
	const char *recipients; /* for age: AGE_RECIPIENTS_PATH there */
};

/*
 * Finds out what is in it: this binary as /init, @programs in /bin, the
 * shared libraries of all, @modules, @symbols if there are any, and @config, whose list of
 * modules is filled in here. The caller ends it with initramfs_deinit(), after a failure too.
 */
struct error *initramfs_plan(struct config *config, const struct driver_modules *modules,
			     const struct initramfs_programs *programs,
			     const struct kept_symbols *symbols, struct initramfs *ret);

/* Writes the archive, cpio's "newc", which the kernel unpacks. */
struct error *initramfs_write(const struct initramfs *initramfs, FILE *out);

void initramfs_deinit(struct initramfs *initramfs);

#endif
