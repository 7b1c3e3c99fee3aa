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
#include "base/json.h"
#include "base/print.h"
#include "bpf/record.h"
#include "kdump/store.h"
#include "state/record.h"

#define MAX_MANIFEST_SIZE (1 << 20)

/* The first bytes of a regular file, as many as fit; -1: there is none. */
static ssize_t read_start(const struct incident *incident, const char *name, void *buffer,
			  size_t size)
{
	_cleanup_close_ int fd =
		openat(incident->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	return read(fd, buffer, size);
}

static struct json_object *parse(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, text, size) : NULL;

	json_tokener_free(tokener);
	return json;
}

/* A member of a member. */
static struct json_object *get(struct json_object *json, const char *outer, const char *inner)
{
	struct json_object *object = NULL, *value = NULL;

	if (json_object_object_get_ex(json, outer, &object) &&
	    json_object_object_get_ex(object, inner, &value))
		return value;
	return NULL;
}

/* When a trigger of lockdump's began it, by its manifest; 0: none did. */
static double by_manifest(char *text, size_t size)
{
	struct json_object *json = parse(text, size);
	const char *by = json_object_get_string(get(json, "trigger", "by"));
	double when = json_object_get_double(get(json, "times", "trigger"));
	bool ours = by && (!strcmp(by, "sysrq") || !strcmp(by, "kernel"));

	json_object_put(json);
	return ours ? when : 0;
}

/* The same by its record: the controller stores it once more before it fires. */
static double by_record(const struct incident *incident)
{
	struct record_header header;

	if (read_start(incident, "record.bin", &header, sizeof(header)) != sizeof(header) ||
	    memcmp(header.magic, RECORD_MAGIC, sizeof(header.magic)) || header.abi != RECORD_ABI ||
	    header.fired_by == RECORD_FIRED_NONE)
		return 0;
	return record_realtime_ns(&header, header.fired_ns) / 1e9;
}

static double triggered(const struct incident *incident, char *buffer)
{
	ssize_t size = read_start(incident, "manifest.json", buffer, MAX_MANIFEST_SIZE);

	return size < 0 ? by_record(incident) : by_manifest(buffer, size);
}

struct error *triggers_count(const char *store, double since_s, unsigned int *ret)
{
	_cleanup_free_ char *buffer = malloc(MAX_MANIFEST_SIZE);
	DIR *dir = opendir(store);

	*ret = 0;
	if (!dir)
		return error_errno("store %s", store);
	for (struct dirent *entry; buffer && (entry = readdir(dir));) {
		struct incident incident;
		struct error *err = incident_open(store, entry->d_name, &incident);
		if (err) {
			error_destroy(err);
			continue;
		}
		double when = triggered(&incident, buffer);
		*ret += when > 0 && when >= since_s;
		incident_close(&incident);
	}
	closedir(dir);
	return buffer ? NULL : &error_no_memory;
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
