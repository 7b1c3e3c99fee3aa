// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/configuration.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "kdump/strings.h"

#define NAME   "lockdump.conf"
#define SUFFIX ".conf"

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	return name[0] != '.' && length > suffix && !strcmp(name + length - suffix, SUFFIX);
}

/* Their paths, in the order of their names; none if the folder is not there. */
static struct error *find_drop_ins(const char *folder, struct strings *ret)
{
	_cleanup_free_ char *path = NULL;
	struct error *err = NULL;

	if (asprintf(&path, "%s/" NAME ".d", folder) < 0)
		return &error_no_memory;
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? NULL : error_errno("%s", path);
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (is_drop_in(entry->d_name))
			err = strings_add(ret, "%s/%s", path, entry->d_name);
	closedir(dir);
	strings_sort(ret);
	return err;
}

static struct error *read_file(const char *path, ini_handler *handler, void *context)
{
	uint64_t size;
	int fd;
	struct error *err = regular_file_open(path, &fd, &size);

	if (err)
		return err;
	_cleanup_fclose_ FILE *file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return &error_no_memory;
	}
	return ini_read(file, path, handler, context);
}

void configuration_warn(const struct ini_entry *entry, const char *why)
{
	error_report(error_create(ERROR_OTHER, "%s:%u: [%s] %s=: %s; ignored", entry->path,
				  entry->line, entry->section, entry->key, why));
}

/* Whom one section is for. */
struct reader {
	const char *section;
	ini_handler *handler;
	void *context;
};

static bool is_known(const char *section)
{
	static const char *const known[] = { SECTION_WATCH, SECTION_CAPTURE, SECTION_STORE,
					     SECTION_HARVEST };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(section, known[i]))
			return true;
	return false;
}

static struct error *pass_on(const struct ini_entry *entry, void *context)
{
	const struct reader *reader = context;

	if (!is_known(entry->section)) {
		configuration_warn(entry, "no such section");
		return NULL;
	}
	if (reader->section && strcmp(entry->section, reader->section))
		return NULL;
	return reader->handler(entry, reader->context);
}

struct error *configuration_read(const char *folder, const char *section, ini_handler *handler,
				 void *context)
{
	struct reader reader = { .section = section, .handler = handler, .context = context };
	_cleanup_(strings_deinit) struct strings drop_ins = {};
	_cleanup_free_ char *path = NULL;
	struct error *err = NULL;

	if (asprintf(&path, "%s/" NAME, folder) < 0)
		return &error_no_memory;
	if (!access(path, F_OK) || errno != ENOENT)
		err = read_file(path, pass_on, &reader);
	if (!err)
		err = find_drop_ins(folder, &drop_ins);
	for (size_t i = 0; i < drop_ins.count && !err; i++)
		err = read_file(drop_ins.items[i], pass_on, &reader);
	return err;
}
