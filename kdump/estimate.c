// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/estimate.h"

#include <stddef.h>
#include <string.h>

#include "kdump/experience.h"

#define MB 1024UL /* in KB */

/*
 * What a capture takes besides the kernel and its initramfs: slabs and per-CPU areas of one CPU, the disk's driver, the
 * analyzer, makedumpfile. Measured in the lab, on 5.10 to 7.2: 20 to 35 MB; to encrypt the vmcore takes 8 MB more.
 */
#define WORK_KB (48 * MB)

#define STEP_KB (16 * MB)

/* The next crash has more tasks, or a disk's driver more to do. */
static void add_margin(struct estimate *estimate)
{
	unsigned long kb = estimate->need_kb + estimate->need_kb / 4 + STEP_KB;

	estimate->reserve_kb = (kb + STEP_KB - 1) / STEP_KB * STEP_KB;
}

static void take(const struct manifest *manifest, void *arg)
{
	struct estimate *estimate = arg;

	if (manifest->peak_kb <= estimate->need_kb)
		return;
	estimate->measured = true;
	estimate->need_kb = manifest->peak_kb;
	estimate->drill = manifest->drill;
	memcpy(estimate->incident, manifest->id, sizeof(estimate->incident));
}

bool estimate_measured(const char *store, const char *release, struct estimate *ret)
{
	*ret = (struct estimate){ 0 };
	experience_walk(store, release, take, ret);
	add_margin(ret);
	return ret->measured;
}

void estimate_calculated(const struct machine *machine, off_t initramfs_size, struct estimate *ret)
{
	/* While it is unpacked the initramfs is there twice. makedumpfile has two bits for each page of 4 KB. */
	*ret = (struct estimate){
		.need_kb = machine->kernel_kb + 2 * (unsigned long)(initramfs_size / 1024) +
			   machine->memory_kb / 16384 + WORK_KB,
	};
	add_margin(ret);
}
