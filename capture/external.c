// SPDX-License-Identifier: GPL-2.0-only
#include "capture/external.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WATCHDOGS "/sys/class/watchdog"

/* Reads the first line of a file of the kernel's; an empty one if that fails. */
static bool read_line(const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[length > 0 ? length : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return length >= 0;
}

static bool write_line(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t length = strlen(text);

	return fd >= 0 && write(fd, text, length) == length;
}

/* Sets the file at @path to @text. False, with errno: it cannot be. */
static bool set(struct external *external, const char *path, const char *text)
{
	struct external_setting *setting = &external->settings[external->count];

	if (external->count == EXTERNAL_MAX ||
	    (size_t)snprintf(setting->path, sizeof(setting->path), "%s", path) >=
		    sizeof(setting->path)) {
		errno = E2BIG;
		return false;
	}
	if (!read_line(path, setting->before, sizeof(setting->before)))
		return false;
	if (!strcmp(setting->before, text))
		return true;
	if (!write_line(path, text))
		return false;
	external->count++;
	return true;
}

/* The first: NMIs of no known source. The others: NMIs by which hardware tells of errors. */
static void set_nmi(struct external *external, const char *root)
{
	static const char *const names[] = { "unknown_nmi_panic", "panic_on_unrecovered_nmi",
					     "panic_on_io_nmi" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/proc/sys/kernel/%s", root, names[i]);
		if (!set(external, path, "1"))
			fprintf(stderr, "lockdump: --trigger-on nmi: %s: %s\n", path,
				strerror(errno));
	}
}

/* Whether the watchdog @name has a pretimeout that a governor can panic on; sets it. */
static bool set_pretimeout(struct external *external, const char *root, const char *name)
{
	char path[512], governors[256];

	snprintf(path, sizeof(path), "%s" WATCHDOGS "/%s/pretimeout_available_governors", root,
		 name);
	read_line(path, governors, sizeof(governors));
	snprintf(path, sizeof(path), "%s" WATCHDOGS "/%s/pretimeout_governor", root, name);
	if (access(path, F_OK))
		return false;
	if (set(external, path, "panic"))
		return true;
	fprintf(stderr, "lockdump: --trigger-on pretimeout: %s: %s (there are: %s)\n", path,
		strerror(errno), governors);
	return false;
}

static void set_pretimeouts(struct external *external, const char *root)
{
	char path[256];
	bool any = false;

	snprintf(path, sizeof(path), "%s" WATCHDOGS, root);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			any |= set_pretimeout(external, root, entry->d_name);
	if (dir)
		closedir(dir);
	if (!any)
		fprintf(stderr,
			"lockdump: --trigger-on pretimeout: no watchdog here panics before it resets "
			"the machine (%s/*/pretimeout_governor)\n",
			path);
}

void external_set(uint32_t requests, const char *root, struct external *ret)
{
	ret->count = 0;
	if (requests & EXTERNAL_NMI)
		set_nmi(ret, root);
	if (requests & EXTERNAL_PRETIMEOUT)
		set_pretimeouts(ret, root);
}

void external_restore(const struct external *external)
{
	for (size_t i = 0; i < external->count; i++)
		if (!write_line(external->settings[i].path, external->settings[i].before))
			fprintf(stderr, "lockdump: %s: cannot be set back to %s: %s\n",
				external->settings[i].path, external->settings[i].before,
				strerror(errno));
}
