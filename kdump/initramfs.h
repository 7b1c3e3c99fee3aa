/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture kernel's initramfs: made in a staging folder, archived by cpio(1).
 *
 * It is not compressed. Measured on 15 MB (6 with zstd or gzip): the kernel unpacks it 0.15 s
 * sooner than zstd's and 0.7 s sooner than gzip's, what it takes once unpacked is the same, and
 * it is one program less that must be on the rig and one format less that its kernel must know.
 */
#ifndef LOCKDUMP_INITRAMFS_H
#define LOCKDUMP_INITRAMFS_H

#include <limits.h>
#include <sys/types.h>

#include "base/error.h"
#include "kdump/config.h"
#include "kdump/driver_modules.h"
#include "kdump/kept_symbols.h"
#include "kdump/strings.h"

struct initramfs {
	char staging[PATH_MAX]; /* the tree, and beside it the archive */
	char file[PATH_MAX];
	off_t size;
	struct strings entries; /* paths in the archive, without the leading '/' */
	struct strings inputs; /* the files that were copied into it */
};

/*
 * Makes the archive: this binary as /init, @makedumpfile as /bin/makedumpfile, the
 * shared libraries of both, @modules, @symbols if there are any, and @config, whose list of
 * modules is filled in here. The same inputs give the same bytes. The caller ends it with
 * initramfs_deinit(), after a failure too: it removes what was written.
 */
struct error *initramfs_create(struct config *config, const struct driver_modules *modules,
			       const char *makedumpfile, const struct kept_symbols *symbols,
			       struct initramfs *ret);
void initramfs_deinit(struct initramfs *initramfs);

#endif
