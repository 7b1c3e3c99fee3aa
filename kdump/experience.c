// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/experience.h"

#include <dirent.h>
#include <string.h>

#include "kdump/makedumpfile.h"
#include "kdump/manifest_read.h"
#include "kdump/rig_id.h"

void experience_walk(const char *store, const char *release,
		     void (*function)(const struct manifest *manifest, void *arg), void *arg)
{
	DIR *dir = opendir(store);
	char rig[RIG_ID_SIZE];

	if (!dir)
		return;
	rig_id_read(rig);
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct incident incident;
		struct manifest manifest;
		struct error *err = incident_open_ours(store, entry->d_name, &incident);
		if (err) {
			error_destroy(err);
			continue;
		}
		err = manifest_read(&incident, &manifest, NULL);
		if (!err && rig_id_owns(rig, &incident) && !strcmp(manifest.kernel, release)) {
			/* What it calls itself is not to be trusted. */
			memcpy(manifest.id, incident.id, sizeof(manifest.id));
			function(&manifest, arg);
		}
		error_destroy(err);
		incident_close(&incident);
	}
	closedir(dir);
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
