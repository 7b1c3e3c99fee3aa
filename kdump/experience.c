// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/experience.h"

#include <string.h>

#include "kdump/makedumpfile.h"
#include "kdump/manifest_read.h"
#include "kdump/rig_id.h"

struct walk {
	char rig[RIG_ID_SIZE];
	const char *release;
	void (*function)(const struct manifest *manifest, void *arg);
	void *arg;
};

static bool visit(const struct incident *incident, void *arg)
{
	const struct walk *walk = arg;
	struct manifest manifest;
	struct error *err = manifest_read(incident, &manifest, NULL);

	if (!err && rig_id_owns(walk->rig, incident) && !strcmp(manifest.kernel, walk->release)) {
		/* What it calls itself is not to be trusted. */
		memcpy(manifest.id, incident->id, sizeof(manifest.id));
		walk->function(&manifest, walk->arg);
	}
	error_destroy(err);
	return false;
}

void experience_walk(const char *store, const char *release,
		     void (*function)(const struct manifest *manifest, void *arg), void *arg)
{
	struct walk walk = { .release = release, .function = function, .arg = arg };

	rig_id_read(walk.rig);
	error_destroy(store_walk_ours(store, visit, &walk));
}

struct newest {
	const char *makedumpfile_version;
	char id[INCIDENT_ID_SIZE];
	unsigned int level;
};

static bool is_newer(const struct manifest *manifest, const struct newest *newest)
{
	return !*newest->id || incident_id_compare(manifest->id, newest->id) > 0;
}

static void take(const struct manifest *manifest, void *arg)
{
	struct newest *newest = arg;

	if (manifest->proven && manifest->nr_tries && is_newer(manifest, newest) &&
	    !strcmp(manifest->makedumpfile, newest->makedumpfile_version)) {
		memcpy(newest->id, manifest->id, sizeof(newest->id));
		newest->level = manifest->dump_level;
	}
}

bool experience_level(const char *store, const char *release, const char *makedumpfile_version,
		      unsigned int *ret)
{
	struct newest newest = { .makedumpfile_version = makedumpfile_version };

	experience_walk(store, release, take, &newest);
	if (!newest.id[0] || newest.level > MAKEDUMPFILE_MAX_LEVEL)
		return false;
	*ret = newest.level;
	return true;
}
