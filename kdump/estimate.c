// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/estimate.h"

#include <dirent.h>
#include <stddef.h>
#include <string.h>

#include "kdump/manifest_read.h"
#include "kdump/rig_id.h"

#define MB 1024UL /* in KB */

/*
 * What a capture takes besides the kernel and its initramfs: slabs and per-CPU areas of one CPU, the disk's driver, the
 * analyzer, makedumpfile. Measured in the lab, on 5.10 to 7.2: 20 to 35 MB.
 */
#define WORK_KB (48 * MB)

#define STEP_KB (16 * MB)

/* The next crash has more tasks, or a disk's driver more to do. */
static void add_margin(struct estimate *estimate)
{
	unsigned long kb = estimate->need_kb + estimate->need_kb / 4 + STEP_KB;

	estimate->reserve_kb = (kb + STEP_KB - 1) / STEP_KB * STEP_KB;
}

static void take(const struct incident *incident, const char *release, struct estimate *estimate)
{
	struct manifest manifest;
	char rig[RIG_ID_SIZE];
	struct error *err = manifest_read(incident, &manifest, NULL);

	rig_id_read(rig);
	if (!err && rig_id_owns(rig, incident) && !strcmp(manifest.kernel, release) &&
	    manifest.peak_kb > estimate->need_kb) {
		estimate->measured = true;
		estimate->need_kb = manifest.peak_kb;
		estimate->drill = manifest.drill;
		memcpy(estimate->incident, incident->id, sizeof(estimate->incident));
	}
	error_destroy(err);
}

bool estimate_measured(const char *store, const char *release, struct estimate *ret)
{
	DIR *dir = opendir(store);

	*ret = (struct estimate){ 0 };
	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct incident incident;
		struct error *err = incident_open(store, entry->d_name, &incident);
		if (!err) {
			take(&incident, release, ret);
			incident_close(&incident);
		}
		error_destroy(err);
	}
	closedir(dir);
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
