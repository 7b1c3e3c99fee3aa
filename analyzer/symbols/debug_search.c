// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/debug_search.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MAX_DEPTH   16
#define MAX_ENTRIES 100000

struct search {
	const struct debug_wanted *wanted;
	bool (*candidate)(void *data, const char *path);
	void *data;
	unsigned int entries; /* of folders, that were looked at */
};

bool debug_name_is_safe(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "+-._~");
	return len && !name[len] && name[0] != '.';
}

char *debug_release(const struct vmcoreinfo *info)
{
	const char *text;
	size_t len;

	if (!vmcoreinfo_string(info, "OSRELEASE", &text, &len))
		return NULL;
	_cleanup_free_ char *ret = strndup(text, len);
	return ret && debug_name_is_safe(ret) ? steal_ptr(ret) : NULL;
}

__attribute__((format(printf, 2, 3))) static bool try_path(struct search *search,
							   const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return len < (int)sizeof(path) && !access(path, F_OK) &&
	       search->candidate(search->data, path);
}

static bool try_build_id(struct search *search, const char *folder)
{
	char id[2 * BUILD_ID_MAX + 1];

	build_id_text(search->wanted->build_id, id);
	return search->wanted->build_id->size > 1 &&
	       try_path(search, "%s/.build-id/%.2s/%s.debug", folder, id, id + 2);
}

static bool try_kernel(struct search *search, const char *folder)
{
	const char *release = search->wanted->release;

	if (try_build_id(search, folder))
		return true;
	if (release && (try_path(search, "%s/boot/vmlinux-%s", folder, release) ||
			try_path(search, "%s/vmlinux-%s", folder, release) ||
			try_path(search, "%s/lib/modules/%s/vmlinux", folder, release) ||
			try_path(search, "%s/lib/modules/%s/build/vmlinux", folder, release)))
		return true;
	return try_path(search, "%s/vmlinux", folder);
}

/* NAME.ko or NAME.ko.debug; in files' names '-' and '_' are the same. */
static bool is_file_of(const char *file, const char *module)
{
	for (; *module; file++, module++)
		if ((*file == '-' ? '_' : *file) != (*module == '-' ? '_' : *module))
			return false;
	return !strcmp(file, ".ko") || !strcmp(file, ".ko.debug");
}

static bool search_folder(struct search *search, const char *folder, unsigned int depth)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = depth < MAX_DEPTH ? opendir(folder) : NULL;

	while (dir && !found && (entry = readdir(dir)) && search->entries++ < MAX_ENTRIES) {
		char path[PATH_MAX];
		struct stat st;
		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= PATH_MAX)
			continue;
		/* Folders behind symbolic links are not gone into: "build" and "source" are large. */
		bool is_folder = entry->d_type == DT_DIR;
		if (entry->d_type == DT_UNKNOWN)
			is_folder = !lstat(path, &st) && S_ISDIR(st.st_mode);
		if (is_folder && depth)
			found = search_folder(search, path, depth + 1);
		else if (!is_folder && is_file_of(entry->d_name, search->wanted->module))
			found = search->candidate(search->data, path);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool try_module(struct search *search, const char *folder)
{
	char modules[PATH_MAX];

	if (try_build_id(search, folder))
		return true;
	/* Beside it, but not below: that might be a whole system. */
	if (search_folder(search, folder, 0))
		return true;
	return search->wanted->release &&
	       snprintf(modules, sizeof(modules), "%s/lib/modules/%s", folder,
			search->wanted->release) < (int)sizeof(modules) &&
	       search_folder(search, modules, 1);
}

void debug_search(const char *folders, const struct debug_wanted *wanted,
		  bool (*candidate)(void *data, const char *path), void *data)
{
	struct search search = { .wanted = wanted, .candidate = candidate, .data = data };
	_cleanup_free_ char *copy = strdup(folders);
	char *rest = copy;

	for (char *folder; rest && (folder = strsep(&rest, ":"));)
		if (*folder &&
		    (wanted->module ? try_module(&search, folder) : try_kernel(&search, folder)))
			return;
}
