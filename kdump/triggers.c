// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/triggers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "bpf/record.h"
#include "kdump/json_file.h"
#include "kdump/store.h"
#include "state/record.h"

/* When a trigger of lockdump's began it, by its manifest; 0: none did. A drill is none: it is not the rig that hung. */
static double by_manifest(struct json_object *manifest)
{
	char by[16];

	json_copy_text(json_member(manifest, "trigger"), "by", by, sizeof(by));
	if ((strcmp(by, "sysrq") && strcmp(by, "kernel")) || json_get_bool(manifest, "drill"))
		return 0;
	return json_get_double(json_member(manifest, "times"), "trigger");
}

/* The same by its record: the controller stores it once more before it fires. */
static double by_record(const struct incident *incident)
{
	_cleanup_close_ int fd = openat(incident->dirfd, "record.bin",
					O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct record_header header;

	if (fd < 0 || read(fd, &header, sizeof(header)) != sizeof(header) ||
	    memcmp(header.magic, RECORD_MAGIC, sizeof(header.magic)) || header.abi != RECORD_ABI ||
	    header.fired_by == RECORD_FIRED_NONE)
		return 0;
	return record_realtime_ns(&header, header.fired_ns) / 1e9;
}

static double triggered(const struct incident *incident)
{
	_cleanup_(json_putp) struct json_object *manifest =
		json_file_read(incident->dirfd, "manifest.json");

	return manifest ? by_manifest(manifest) : by_record(incident);
}

struct error *triggers_count(const char *store, double since_s, unsigned int *ret)
{
	DIR *dir = opendir(store);

	*ret = 0;
	if (!dir)
		return error_errno("store %s", store);
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct incident incident;
		struct error *err = incident_open(store, entry->d_name, &incident);
		if (err) {
			error_destroy(err);
			continue;
		}
		double when = triggered(&incident);
		*ret += when > 0 && when >= since_s;
		incident_close(&incident);
	}
	closedir(dir);
	return NULL;
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
