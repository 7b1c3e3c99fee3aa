// SPDX-License-Identifier: GPL-2.0-only
#include "capture/closing.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kdump/manifest.h"

struct error *closing_write(const struct incident *incident, bool over, bool whole)
{
	struct manifest manifest = {
		.onset_s = (double)incident_id_onset(incident->id),
		.trigger_cpu = -1,
		.complete = whole,
	};
	struct utsname names;

	memcpy(manifest.id, incident->id, sizeof(manifest.id));
	uname(&names);
	snprintf(manifest.kernel, sizeof(manifest.kernel), "%s", names.release);
	rig_id_read(manifest.rig);
	manifest_add_step(&manifest, "watch", 0, whole ? "done" : "failed",
			  over ? "it was over without a crash"
			       : "lockdump watch was ended before it was over");
	return manifest_write(incident, &manifest);
}
