/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is loaded as crash kernel: the running kernel says that there is one, but not whose. Its own bookkeeping does:
 *
 *	struct kimage *kexec_crash_image	NULL: none
 *		nr_segments
 *		segment[]			struct kexec_segment: where in the reserved memory each is, mem and memsz
 *
 * (include/linux/kexec.h). One of the segments is the initramfs as it was given to kexec. The reserved memory alone does not
 * tell: what another image does not overwrite stays there.
 */
#ifndef LOCKDUMP_LOADED_IMAGE_H
#define LOCKDUMP_LOADED_IMAGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "kdump/digest.h"

/*
 * Finds the segment that is the file @fd; @root is "" but in tests. ERROR_NOT_FOUND if none is; another error if the kernel's
 * memory cannot be read, or does not tell.
 */
struct error *loaded_image_find(const char *root, int fd, uint64_t *ret);

/* Whether there is a segment at the physical @address whose first @size bytes have that SHA-256. Errors as above. */
struct error *loaded_image_check(const char *root, uint64_t address, off_t size,
				 const char *sha256);

#endif
