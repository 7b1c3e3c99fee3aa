// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/libraries.h"
#include "kdump/run.h"

#define CPIO_LIMIT_S 60

/* Times would make each archive another one. */
static const struct timespec no_time[2];

static struct error *add_folder(struct initramfs *initramfs, const char *path)
{
	char full[PATH_MAX * 2];

	if (strings_have(&initramfs->entries, path))
		return NULL;
	snprintf(full, sizeof(full), "%s/root/%s", initramfs->staging, path);
	if (mkdir(full, 0700) || chmod(full, 0755))
		return error_errno("%s", full);
	return strings_add(&initramfs->entries, "%s", path);
}

/* Every folder above @path. */
static struct error *add_parents(struct initramfs *initramfs, const char *path)
{
	struct error *err = NULL;

	for (const char *s = path; !err && (s = strchr(s, '/')); s++) {
		char parent[PATH_MAX];
		snprintf(parent, sizeof(parent), "%.*s", (int)(s - path), path);
		err = add_folder(initramfs, parent);
	}
	return err;
}

/* A new file in the tree, open for writing. */
static struct error *add_file(struct initramfs *initramfs, const char *path, mode_t mode, int *ret)
{
	char full[PATH_MAX * 2];
	struct error *err = add_parents(initramfs, path);

	if (err)
		return err;
	snprintf(full, sizeof(full), "%s/root/%s", initramfs->staging, path);
	*ret = open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret < 0 || fchmod(*ret, mode))
		return error_errno("%s", full);
	return strings_add(&initramfs->entries, "%s", path);
}

static struct error *add_copy(struct initramfs *initramfs, const char *from, const char *path)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	struct stat st;

	if (in < 0 || fstat(in, &st))
		return error_errno("%s", from);
	struct error *err = add_file(initramfs, path, st.st_mode & 0111 ? 0755 : 0644, &out);
	for (off_t left = st.st_size; !err && left;) {
		ssize_t n = sendfile(out, in, NULL, left);
		if (n <= 0)
			return n ? error_errno("%s: copying", from)
				 : error_create(ERROR_OTHER, "%s: it became shorter", from);
		left -= n;
	}
	return err ? err : strings_add(&initramfs->inputs, "%s", from);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * All libraries go into the folder of libc: without a cache file, the loader looks in
 * its own default folders only, and libc's is one of these.
 */
static struct error *add_libraries(struct initramfs *initramfs, const char *const programs[])
{
	_cleanup_(strings_deinit) struct strings files = { 0 }, loaders = { 0 };
	struct error *err = NULL;
	char dir[PATH_MAX] = "";

	for (size_t i = 0; programs[i] && !err; i++)
		err = libraries_of(programs[i], &files, &loaders);
	if (err)
		return err;
	for (size_t i = 0; i < files.count; i++)
		if (!strncmp(base_name(files.items[i]), "libc.so.", strlen("libc.so.")))
			snprintf(dir, sizeof(dir), "%.*s",
				 (int)(base_name(files.items[i]) - files.items[i]), files.items[i]);
	if (!*dir)
		return error_create(ERROR_NOT_FOUND, "%s: no libc among its libraries",
				    programs[0]);
	for (size_t i = 0; i < loaders.count && !err; i++)
		err = add_copy(initramfs, loaders.items[i], loaders.items[i] + 1);
	for (size_t i = 0; i < files.count && !err; i++) {
		char path[PATH_MAX * 2];
		snprintf(path, sizeof(path), "%s%s", dir + 1, base_name(files.items[i]));
		if (!strings_have(&initramfs->entries, path))
			err = add_copy(initramfs, files.items[i], path);
	}
	return err;
}

static struct error *add_modules(struct initramfs *initramfs, const struct driver_modules *modules,
				 struct config *config)
{
	struct error *err = NULL;

	for (size_t i = 0; i < modules->count && !err; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "modules/%s", base_name(modules->items[i].file));
		err = add_copy(initramfs, modules->items[i].file, path);
		if (!err)
			err = strings_add(&config->modules, "/%s", path);
	}
	return err;
}

static struct error *add_config(struct initramfs *initramfs, const struct config *config)
{
	int fd = -1;
	struct error *err = add_file(initramfs, &CONFIG_PATH[1], 0644, &fd);
	_cleanup_fclose_ FILE *file = err ? NULL : fdopen(fd, "w");

	if (err)
		return err;
	if (!file)
		return error_errno("%s", CONFIG_PATH);
	err = config_write(config, file);
	if (!err && fflush(file))
		err = error_errno("%s", CONFIG_PATH);
	return err;
}

static struct error *add_symbols(struct initramfs *initramfs, const struct kept_symbols *symbols)
{
	_cleanup_close_ int out = -1;
	struct error *err = add_file(initramfs, &KEPT_SYMBOLS_PATH[1], 0600, &out);

	for (size_t at = 0; !err && at < symbols->size;) {
		ssize_t n = write(out, symbols->text + at, symbols->size - at);
		if (n < 0)
			return error_errno("%s", KEPT_SYMBOLS_PATH);
		at += n;
	}
	return err;
}

static struct error *fill(struct initramfs *initramfs, struct config *config,
			  const struct driver_modules *modules, const char *makedumpfile,
			  const struct kept_symbols *symbols)
{
	static const char *const folders[] = { "dev", "proc", "store", "sys", "tmp" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct error *err = NULL;

	if (len < 0)
		return error_errno("/proc/self/exe");
	self[len] = '\0';
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !err; i++)
		err = add_folder(initramfs, folders[i]);
	if (!err)
		err = add_copy(initramfs, self, "init");
	if (!err)
		err = add_copy(initramfs, makedumpfile, "bin/makedumpfile");
	if (!err)
		err = add_libraries(initramfs, (const char *[]){ self, makedumpfile, NULL });
	if (!err)
		err = add_modules(initramfs, modules, config);
	if (!err && symbols->text)
		err = add_symbols(initramfs, symbols);
	if (!err)
		err = add_config(initramfs, config);
	return err;
}

/* Last of all, as each new file changes its folder's time. */
static struct error *forget_times(const struct initramfs *initramfs)
{
	for (size_t i = 0; i < initramfs->entries.count; i++) {
		char full[PATH_MAX * 2];
		snprintf(full, sizeof(full), "%s/root/%s", initramfs->staging,
			 initramfs->entries.items[i]);
		if (utimensat(AT_FDCWD, full, no_time, AT_SYMLINK_NOFOLLOW))
			return error_errno("%s", full);
	}
	return NULL;
}

/* The names to archive, for cpio's stdin. A memfd, so that no pipe can fill. */
static struct error *list_entries(const struct initramfs *initramfs, int *ret)
{
	*ret = memfd_create("entries", MFD_CLOEXEC);
	if (*ret < 0)
		return error_errno("memfd");
	for (size_t i = 0; i < initramfs->entries.count; i++)
		if (dprintf(*ret, "%s\n", initramfs->entries.items[i]) < 0)
			return error_errno("memfd");
	lseek(*ret, 0, SEEK_SET);
	return NULL;
}

/* Flags that both GNU's and busybox's cpio know; the last two are what GNU calls --reproducible. */
static struct error *archive(struct initramfs *initramfs)
{
	char root[PATH_MAX + 8];
	_cleanup_close_ int list = -1, dir = -1, out = -1;
	struct stat st;
	struct run run = RUN_INIT;

	snprintf(root, sizeof(root), "%s/root", initramfs->staging);
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno("%s", root);
	out = open(initramfs->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return error_errno("%s", initramfs->file);
	strings_sort(&initramfs->entries);
	struct error *err = list_entries(initramfs, &list);
	if (err)
		return err;
	run.limit_s = CPIO_LIMIT_S;
	run.dirfd = dir;
	run.input = list;
	run.output = out;
	err = run_program(&run, (const char *[]){ "cpio", "-o", "-H", "newc", "--ignore-devno",
						  "--renumber-inodes", NULL });
	if (err)
		return err;
	if (fstat(out, &st))
		return error_errno("%s", initramfs->file);
	initramfs->size = st.st_size;
	return NULL;
}

struct error *initramfs_create(struct config *config, const struct driver_modules *modules,
			       const char *makedumpfile, const struct kept_symbols *symbols,
			       struct initramfs *ret)
{
	const char *tmp = getenv("TMPDIR");

	*ret = (struct initramfs){ 0 };
	snprintf(ret->staging, sizeof(ret->staging), "%.4000s/lockdump-arm.XXXXXX",
		 tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(ret->staging)) {
		struct error *err = error_errno("staging folder %s", ret->staging);
		ret->staging[0] = '\0';
		return err;
	}
	snprintf(ret->file, sizeof(ret->file), "%.4050s/initramfs", ret->staging);
	char root[PATH_MAX + 8];
	snprintf(root, sizeof(root), "%s/root", ret->staging);
	struct error *err = mkdir(root, 0700) ? error_errno("%s", root) : NULL;
	if (!err)
		err = fill(ret, config, modules, makedumpfile, symbols);
	if (!err)
		err = forget_times(ret);
	if (!err)
		err = archive(ret);
	return error_prefix(err, "initramfs");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void initramfs_deinit(struct initramfs *initramfs)
{
	if (initramfs->staging[0])
		nftw(initramfs->staging, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	strings_deinit(&initramfs->entries);
	strings_deinit(&initramfs->inputs);
	*initramfs = (struct initramfs){ 0 };
}
