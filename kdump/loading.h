/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading the capture kernel, so that what the state folder says of it holds whatever becomes of this process or the machine
 * meanwhile:
 *
 *	1. the initramfs is written beside the one that is kept, which stays; if that one is the same, it is taken
 *	2. the mark says that what is loaded is being changed
 *	3. kexec: what was loaded before goes (kexec_file_load itself drops it first), and this comes
 *	4. the initramfs takes its place, armed.json is replaced, the mark goes
 *
 * If kexec fails, what was kept stays if it is still true.
 */
#ifndef LOCKDUMP_LOADING_H
#define LOCKDUMP_LOADING_H

#include "kdump/armed.h"
#include "kdump/initramfs.h"

/* Whether what is loaded is @armed's initramfs, as it was. Where that memory cannot be read it is not known to be. */
bool loading_is_in_memory(const char *root, const struct armed *armed);

struct loading {
	bool made; /* the initramfs; false: it is the one that was kept */
	bool loaded; /* false: just this was loaded already */
};

/*
 * Loads @armed->kernel_file with the initramfs @plan and @armed->parameters. Of @armed all is filled in but what concerns the
 * loading, which is filled in here. Without a usable state folder it is loaded all the same, with a warning. @root is "" but in
 * tests.
 */
struct error *loading_run(const char *root, const struct initramfs *plan, struct armed *armed,
			  struct loading *ret);

#endif
