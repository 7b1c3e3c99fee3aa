// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/triggers.h"

#include <stdio.h>
#include <string.h>

#include "base/print.h"
#include "kdump/incidents.h"
#include "kdump/manifest_read.h"
#include "kdump/rig_id.h"
#include "state/record.h"

/* When a trigger of lockdump's began it, by its manifest; 0: none did. A drill is none: it is not the rig that hung. */
static double by_manifest(const struct manifest *manifest)
{
	const char *by = manifest->trigger_by;
	bool ours = by && (!strcmp(by, "sysrq") || !strcmp(by, "kernel"));

	return ours && !manifest->drill ? manifest->trigger_s : 0;
}

/* The same by its record: the controller stores it once more before it fires. */
static double by_record(const struct incident *incident)
{
	struct record_header header;

	if (!incident_record_header(incident, &header) || header.fired_by == RECORD_FIRED_NONE)
		return 0;
	return record_realtime_ns(&header, header.fired_ns) / 1e9;
}

double triggers_when(const struct incident *incident)
{
	struct manifest manifest;
	struct error *err = manifest_read(incident, &manifest, NULL);

	if (!err)
		return by_manifest(&manifest);
	bool is_absent = err->class == ERROR_NOT_FOUND;
	error_destroy(err);
	return is_absent ? by_record(incident) : 0;
}

/* In a store that several share, all of them are to stop for none of them. */
static bool is_anothers(const char *rig, const struct incident *incident)
{
	return store_is_shared(incident->dirfd) && rig_id_is_others(rig, incident);
}

struct count {
	char rig[RIG_ID_SIZE];
	double since_s;
	unsigned int triggers;
};

static bool count(const struct incident *incident, void *arg)
{
	struct count *ret = arg;
	double when = is_anothers(ret->rig, incident) ? 0 : triggers_when(incident);

	ret->triggers += when > 0 && when >= ret->since_s;
	return false;
}

struct error *triggers_count(const char *store, double since_s, unsigned int *ret)
{
	struct count counted = { .since_s = since_s };

	rig_id_read(counted.rig);
	struct error *err = store_walk_ours(store, count, &counted);
	*ret = counted.triggers;
	return err;
}

bool triggers_find_said(const char *log, char *ret, size_t size)
{
	const char *said = NULL, *next = log;

	/* Behind the time: who writes "[" may have written anything. */
	while ((next = strstr(next, "] " TRIGGERS_SAID)))
		said = next += strlen("] " TRIGGERS_SAID);
	if (!said)
		return false;
	snprintf(ret, size, "%.*s", (int)strcspn(said, "\n"), said);
	clean_text(ret);
	return true;
}
