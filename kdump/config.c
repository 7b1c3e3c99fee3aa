// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/config.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kdump/makedumpfile.h"

enum type { TEXT, NUMBER, LIMIT, LONG, LIST };

/* Seconds. A limit of 0 would be none, and more than this no limit: the capture kernel is to reboot. */
#define MOST_LIMIT_S (30 * 86400)

#define KEY(name, type, m)                                                              \
	{                                                                               \
		name, type, offsetof(struct config, m), sizeof(((struct config *)0)->m) \
	}
#define TEXT_KEY(m)   KEY(#m, TEXT, m)
#define NUMBER_KEY(m) KEY(#m, NUMBER, m)
#define LIMIT_KEY(m)  KEY(#m, LIMIT, m)
#define STORE_KEYS(name, prefix, m)                                                     \
	KEY(name, TEXT, m.folder), KEY(prefix "_uuid", TEXT, m.uuid),                   \
		KEY(prefix "_fs", TEXT, m.fs), KEY(prefix "_options", TEXT, m.options), \
		KEY(prefix "_path", TEXT, m.path)

static const struct key {
	const char *name;
	enum type type;
	size_t offset;
	size_t size;
} keys[] = {
	TEXT_KEY(release),
	TEXT_KEY(boot_id),
	TEXT_KEY(rig),
	KEY("reserved_kb", LONG, reserved_kb),
	STORE_KEYS("store", "store", store),
	STORE_KEYS("second_store", "second", second),
	TEXT_KEY(with),
	TEXT_KEY(program),
	TEXT_KEY(host_dir),
	TEXT_KEY(host_remote),
	NUMBER_KEY(host_goes_on),
	NUMBER_KEY(dump_level),
	TEXT_KEY(compression),
	TEXT_KEY(makedumpfile),
	NUMBER_KEY(encrypt),
	LIMIT_KEY(device_s),
	LIMIT_KEY(record_s),
	LIMIT_KEY(dmesg_s),
	LIMIT_KEY(report_s),
	LIMIT_KEY(vmcore_s),
	LIMIT_KEY(proof_s),
	LIMIT_KEY(manifest_s),
	LIMIT_KEY(overall_s),
	KEY("module", LIST, modules),
	KEY("watchdog", LIST, watchdogs),
};

void config_init(struct config *config)
{
	*config = (struct config){
		.dump_level = MAKEDUMPFILE_MAX_LEVEL,
		.compression = "zlib",
		.device_s = 30,
		.record_s = 30,
		.dmesg_s = 30,
		.report_s = 60,
		.vmcore_s = 1800,
		.proof_s = 60,
		.manifest_s = 120,
		.overall_s = 2400,
	};
}

/*
 * makedumpfile looks at every page's state and copies some: 100 MB of memory a second is slow
 * for it. The manifest has the checksum of all that it wrote. Two minutes on top are for slow disks,
 * and once more for what has no limit of its own.
 */
void config_scale(struct config *config, unsigned long memory_kb)
{
	unsigned long scaled_s = 120 + memory_kb / (100 * 1024);

	config->vmcore_s = scaled_s < 24 * 3600 ? scaled_s : 24 * 3600;
	config->manifest_s = config->vmcore_s;
	config->overall_s = MAX_PLACES * (config->device_s + MOUNT_LIMIT_S) + config->record_s +
			    config->dmesg_s + config->report_s +
			    VMCORE_TRIES * (config->vmcore_s + config->proof_s) +
			    config->manifest_s + 120;
}

void config_deinit(struct config *config)
{
	strings_deinit(&config->modules);
	strings_deinit(&config->watchdogs);
}

static struct place place_of(const struct config_store *store, const char *name, const char *point)
{
	return (struct place){
		.name = name,
		.folder = store->folder,
		.uuid = store->uuid,
		.fs = store->fs,
		.options = store->options,
		.path = store->path,
		.point = point,
	};
}

unsigned int config_places(const struct config *config, struct place ret[static MAX_PLACES])
{
	ret[0] = place_of(&config->store, "store", "/store");
	ret[1] = place_of(&config->second, "second store", "/store2");
	return *config->second.uuid ? 2 : 1;
}

struct error *config_write(const struct config *config, FILE *out)
{
	fprintf(out, "[capture]\n");
	for (const struct key *key = keys; key < keys + sizeof(keys) / sizeof(keys[0]); key++) {
		const void *p = (const char *)config + key->offset;
		if (key->type == TEXT && strchr(p, '\n'))
			return error_create(ERROR_OTHER, "%s: a line break in it", key->name);
		if (key->type == TEXT)
			fprintf(out, "%s=%s\n", key->name, (const char *)p);
		else if (key->type == NUMBER || key->type == LIMIT)
			fprintf(out, "%s=%u\n", key->name, *(const unsigned int *)p);
		else if (key->type == LONG)
			fprintf(out, "%s=%lu\n", key->name, *(const unsigned long *)p);
		else
			for (size_t i = 0; i < ((const struct strings *)p)->count; i++)
				fprintf(out, "%s=%s\n", key->name,
					((const struct strings *)p)->items[i]);
	}
	return ferror(out) ? error_errno("%s", CONFIG_PATH) : NULL;
}

static struct error *set(struct config *config, const struct key *key, const char *value)
{
	void *p = (char *)config + key->offset;
	char *end;
	unsigned long number;

	switch (key->type) {
	case TEXT:
		if (strlen(value) >= key->size)
			return error_create(ERROR_OTHER, "%s is too long", key->name);
		strcpy(p, value);
		return NULL;
	case LIST:
		return strings_add(p, "%s", value);
	default:
		errno = 0;
		number = strtoul(value, &end, 10);
		if (errno || !isdigit((unsigned char)*value) || *end ||
		    (key->type != LONG && number > UINT_MAX))
			return error_create(ERROR_OTHER, "%s: '%s' is no number", key->name, value);
		if (key->type == LIMIT && (!number || number > MOST_LIMIT_S))
			return error_create(ERROR_OTHER, "%s: '%s' is no limit", key->name, value);
		if (key->type == LONG)
			*(unsigned long *)p = number;
		else
			*(unsigned int *)p = number;
		return NULL;
	}
}

struct error *config_read(const char *path, struct config *ret)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	struct error *err = NULL;

	config_init(ret);
	if (!file)
		return error_errno("%s", path);
	while (!err && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		char *value = strchr(line, '=');
		if (line[0] == '[' || !value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !err; i++)
			if (!strcmp(line, keys[i].name))
				err = set(ret, &keys[i], value);
	}
	if (err)
		config_deinit(ret);
	return error_prefix(err, "%s", path);
}
