/* SPDX-License-Identifier: GPL-2.0-only */
/* How much memory the capture kernel needs: crashkernel=. */
#ifndef LOCKDUMP_ESTIMATE_H
#define LOCKDUMP_ESTIMATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "kdump/machine.h"
#include "kdump/store.h"

struct estimate {
	bool measured; /* by an incident; else calculated */
	char incident[INCIDENT_ID_SIZE]; /* that one; with several, the one that needed most */
	bool drill; /* it was one */
	unsigned long need_kb; /* what it took, or will take */
	unsigned long reserve_kb; /* what is to be reserved: with a margin, and rounded up */
};

/*
 * By this machine's incidents of kernel @release in @store; false if none of them says what the capture kernel took. A store that is
 * not there has none.
 */
bool estimate_measured(const char *store, const char *release, struct estimate *ret);

/* By what there is to load on a machine: its kernel, an initramfs of that size. */
void estimate_calculated(const struct machine *machine, off_t initramfs_size, struct estimate *ret);

#endif
