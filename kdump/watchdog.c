// SPDX-License-Identifier: GPL-2.0-only
/*
 * Documentation/watchdog/watchdog-api.rst. "active" in sysfs is one that is open; one that runs without is fed by the kernel
 * once its driver is there (drivers/watchdog/watchdog_dev.c, CONFIG_WATCHDOG_HANDLE_BOOT_ENABLED, 4.14). The attributes
 * are of CONFIG_WATCHDOG_SYSFS, which distributions have.
 */
#include "kdump/watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/progress.h"
#include "kdump/rooted.h"
#include "kdump/run.h"

#define CLASS	   "/sys/class/watchdog"
#define INTERVAL_S 1
#define TIMEOUT_S  60 /* so long the capture kernel may be too busy to feed it */

static void read_attribute(const char *root, const char *name, const char *attribute, char *ret,
			   size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CLASS "/%s/%s", name, attribute);
	rooted_line(root, path, ret, size);
}

static bool is_running(const char *root, const char *name)
{
	char state[16];

	read_attribute(root, name, "state", state, sizeof(state));
	return !strcmp(state, "active");
}

static bool is_loaded(const char *root, const char *module)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, "/proc/modules");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, length = strlen(module);

	while (file && getline(&line, &size, file) > 0)
		if (!strncmp(line, module, length) && line[length] == ' ')
			return true;
	return false;
}

/* "kernel/drivers/watchdog/i6300esb.ko.xz: ...", which makes @ret "i6300esb". */
static bool parse_driver(const char *line, char *ret, size_t size)
{
	static const char folder[] = "/drivers/watchdog/";
	const char *name = strstr(line, folder);

	if (!name || name > strchrnul(line, ':'))
		return false;
	name += strlen(folder);
	snprintf(ret, size, "%.*s", (int)strcspn(name, "./:"), name);
	for (char *c = ret; (c = strchr(c, '-'));)
		*c = '_';
	return true;
}

/*
 * Many drivers do not say whose device it is (i6300esb.c in 6.12, all for Super I/O chips). Any that is loaded may be the one; there is
 * hardly ever more than one.
 */
static struct error *take_loaded(const char *root, struct strings *drivers)
{
	_cleanup_free_ char *line = NULL;
	char release[72], path[128], module[64];
	struct error *err = NULL;
	size_t size = 0;

	rooted_line(root, "/proc/sys/kernel/osrelease", release, sizeof(release));
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	_cleanup_fclose_ FILE *file = rooted_open(root, path);
	while (!err && file && getline(&line, &size, file) > 0)
		if (parse_driver(line, module, sizeof(module)) && strcmp(module, "softdog") &&
		    is_loaded(root, module))
			err = strings_add_once(drivers, module);
	return err;
}

/* softdog's is a timer of the kernel, and dies with that. */
static struct error *take_one(const char *root, const char *name, bool other_kernel,
			      struct strings *drivers, struct strings *identities)
{
	char path[PATH_MAX], identity[64];

	read_attribute(root, name, "identity", identity, sizeof(identity));
	if (!*identity || !strcmp(identity, "Software Watchdog"))
		return NULL;
	snprintf(path, sizeof(path), "%s" CLASS "/%s/device", root, name);
	struct error *err = access(path, F_OK) ? take_loaded(root, drivers)
					       : device_drivers_at(path, other_kernel, drivers);
	return err || !is_running(root, name) ? err : strings_add(identities, "%s", identity);
}

struct error *watchdogs_find(const char *root, bool other_kernel, struct strings *drivers,
			     struct strings *identities)
{
	char path[PATH_MAX];
	struct error *err = NULL;

	snprintf(path, sizeof(path), "%s" CLASS, root);
	DIR *dir = opendir(path);
	if (!dir)
		return NULL;
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			err = take_one(root, entry->d_name, other_kernel, drivers, identities);
	closedir(dir);
	return error_prefix(err, "watchdog");
}

void watchdogs_init(const struct strings *identities, struct watchdogs *ret)
{
	*ret = (struct watchdogs){ .identities = identities };
}

static bool is_known(const struct watchdogs *watchdogs, const char *name)
{
	for (size_t i = 0; i < watchdogs->count; i++)
		if (!strcmp(watchdogs->list[i].name, name))
			return true;
	return false;
}

/* To open it starts it, if its driver has stopped it. It is never closed. */
static void take_up(struct watchdogs *watchdogs, const char *name)
{
	char path[PATH_MAX], identity[64];
	int timeout_s = 0, wanted_s = TIMEOUT_S;

	read_attribute("", name, "identity", identity, sizeof(identity));
	if (!strings_have(watchdogs->identities, identity) && !is_running("", name))
		return;
	struct watchdog *one = &watchdogs->list[watchdogs->count++];
	snprintf(one->name, sizeof(one->name), "%s", name);
	snprintf(path, sizeof(path), "/dev/%s", name);
	one->fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (one->fd < 0) {
		progress("%s: %s: %s", path, identity, strerror(errno));
		return;
	}
	if (!ioctl(one->fd, WDIOC_GETTIMEOUT, &timeout_s) && timeout_s < TIMEOUT_S &&
	    !ioctl(one->fd, WDIOC_SETTIMEOUT, &wanted_s))
		timeout_s = wanted_s;
	progress("%s: %s is fed, its time is %d s", path, identity, timeout_s);
}

static void look_for_more(struct watchdogs *watchdogs)
{
	DIR *dir = opendir(CLASS);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && watchdogs->count < MAX_WATCHDOGS &&
		    strlen(entry->d_name) < sizeof(watchdogs->list[0].name) &&
		    !is_known(watchdogs, entry->d_name))
			take_up(watchdogs, entry->d_name);
	closedir(dir);
}

void watchdogs_feed(struct watchdogs *watchdogs)
{
	if (uptime_s() < watchdogs->next_s)
		return;
	watchdogs->next_s = uptime_s() + INTERVAL_S;
	look_for_more(watchdogs);
	for (size_t i = 0; i < watchdogs->count; i++)
		if (watchdogs->list[i].fd >= 0)
			ioctl(watchdogs->list[i].fd, WDIOC_KEEPALIVE, 0);
}
