// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/run.h"

/* One script, for the child that becomes it. */
struct hook {
	const struct hooks *hooks;
	const char *path;
	char folder[PATH_MAX + INCIDENT_ID_SIZE + 1]; /* the incident's */
};

/* As run-parts(8), which so leaves out what editors and packages put aside. */
static bool is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_.-");

	return length && !name[length] && *name != '.' && !strstr(name, ".dpkg-") &&
	       !strstr(name, ".rpm");
}

/* NULL: what is in it is root's, or our own. */
static const char *distrust(const struct stat *st)
{
	if (st->st_mode & 022)
		return "others than its owner can write to it";
	return st->st_uid && st->st_uid != geteuid() ? "it is another user's" : NULL;
}

/* NULL: it may be run. */
static const char *refuse(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a file";
	if (!(st.st_mode & 0111))
		return "not executable";
	return distrust(&st);
}

static struct error *find(const char *folder, struct strings *ret)
{
	DIR *dir = opendir(folder);
	struct error *err = NULL;
	struct stat st;

	if (!dir)
		return errno == ENOENT ? NULL : error_errno("%s", folder);
	const char *why = fstat(dirfd(dir), &st) ? strerror(errno) : distrust(&st);
	if (why)
		err = error_create(ERROR_OTHER, "%s: not looked into: %s", folder, why);
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (is_name(entry->d_name))
			err = strings_add(ret, "%s/%s", folder, entry->d_name);
	closedir(dir);
	strings_sort(ret);
	return err;
}

static void set(const char *name, const char *value)
{
	setenv(name, value ? value : "", 1);
}

/* In the child. */
static struct error *become(void *arg)
{
	const struct hook *hook = arg;
	const struct incident_summary *one = hook->hooks->one;

	set("LOCKDUMP_INCIDENT", one->id);
	set("LOCKDUMP_FOLDER", hook->folder);
	set("LOCKDUMP_STORE", hook->hooks->store);
	set("LOCKDUMP_KERNEL", one->kernel);
	set("LOCKDUMP_KIND", one->kind);
	set("LOCKDUMP_TITLE", one->title);
	set("LOCKDUMP_SIGNATURE", one->signature);
	set("LOCKDUMP_DUMP", dump_state_name(one->dump));
	set("LOCKDUMP_ENCRYPTED", one->encrypted ? "yes" : "no");
	set("LOCKDUMP_COMPLETE", one->complete ? "yes" : "no");
	set("LOCKDUMP_DRILL", one->drill ? "yes" : "no");
	execl(hook->path, hook->path, hook->folder, (char *)NULL);
	return error_errno("%s", hook->path);
}

static struct error *run_hook(const struct hooks *hooks, const char *path)
{
	struct hook hook = { .hooks = hooks, .path = path };
	struct run run = RUN_INIT;
	const char *why = refuse(path);

	if (why)
		return error_create(ERROR_OTHER, "%s: not run: %s", path, why);
	snprintf(hook.folder, sizeof(hook.folder), "%s/%s", hooks->store, hooks->one->id);
	run.limit_s = (unsigned int)hooks->timeout_s;
	run.group = true;
	run.echo = true;
	return error_prefix(run_function(&run, become, &hook), "%s", path);
}

static void note(struct error *err, struct strings *failed)
{
	if (!err)
		return;
	error_destroy(strings_add(failed, "%s", err->message));
	error_destroy(err);
}

void hooks_run(const struct hooks *hooks, struct strings *failed)
{
	struct strings paths = { 0 };

	note(find(hooks->folder, &paths), failed);
	for (size_t i = 0; i < paths.count; i++)
		note(run_hook(hooks, paths.items[i]), failed);
	strings_deinit(&paths);
}
