// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/age.h"
#include "kdump/libraries.h"

#define HEADER_SIZE 110
#define TRAILER	    "TRAILER!!!"

/* --- the plan -------------------------------------------------------------------------- */

static struct initramfs_entry *find(const struct initramfs *initramfs, const char *path)
{
	for (size_t i = 0; i < initramfs->entries.count; i++)
		if (!strcmp(initramfs->entries.data[i].path, path))
			return &initramfs->entries.data[i];
	return NULL;
}

/* @fd is taken over. */
static struct error *add_entry(struct initramfs *initramfs, const char *path, unsigned int mode,
			       int fd, const char *source)
{
	struct initramfs_entry *entry = vector_push(&initramfs->entries);

	if (!entry) {
		if (fd >= 0)
			close(fd);
		return &error_no_memory;
	}
	*entry = (struct initramfs_entry){ .path = strdup(path), .mode = mode, .fd = fd };
	if (source)
		entry->source = strdup(source);
	return entry->path && (entry->source || !source) ? NULL : &error_no_memory;
}

static struct error *add_folder(struct initramfs *initramfs, const char *path)
{
	return find(initramfs, path) ? NULL : add_entry(initramfs, path, S_IFDIR | 0755, -1, NULL);
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

/* Looks at the content of the entry that was added last. */
static struct error *look_at(struct initramfs *initramfs, const char *name)
{
	struct initramfs_entry *entry = &initramfs->entries.data[initramfs->entries.count - 1];
	struct stat st;

	if (fstat(entry->fd, &st) || lseek(entry->fd, 0, SEEK_SET))
		return error_errno("%s", name);
	if (!S_ISREG(st.st_mode) || st.st_size > UINT32_MAX)
		return error_create(ERROR_OTHER, "%s: not a file, or too large for an initramfs",
				    name);
	entry->size = st.st_size;
	return sha256_of(entry->fd, name, entry->sha256);
}

static struct error *add_copy(struct initramfs *initramfs, const char *from, const char *path)
{
	struct stat st;
	struct error *err = add_parents(initramfs, path);

	if (err)
		return err;
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno("%s", from);
	bool executable = !fstat(fd, &st) && st.st_mode & 0111;
	err = add_entry(initramfs, path, S_IFREG | (executable ? 0755 : 0644), fd, from);
	return err ? err : look_at(initramfs, from);
}

/* A file that is made here. @ret gets it to write to; look_at() then. */
static struct error *add_made(struct initramfs *initramfs, const char *path, unsigned int mode,
			      int *ret)
{
	struct error *err = add_parents(initramfs, path);

	if (err)
		return err;
	*ret = memfd_create(path, MFD_CLOEXEC);
	if (*ret < 0)
		return error_errno("memfd");
	return add_entry(initramfs, path, S_IFREG | mode, *ret, NULL);
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
		if (!find(initramfs, path))
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
	int fd;
	struct error *err = add_made(initramfs, &CONFIG_PATH[1], 0644, &fd);
	_cleanup_fclose_ FILE *file = err ? NULL : fdopen(dup(fd), "w");

	if (err)
		return err;
	if (!file)
		return error_errno("%s", CONFIG_PATH);
	err = config_write(config, file);
	if (!err && fflush(file))
		err = error_errno("%s", CONFIG_PATH);
	return err ? err : look_at(initramfs, CONFIG_PATH);
}

static struct error *add_symbols(struct initramfs *initramfs, const struct kept_symbols *symbols)
{
	int fd;
	struct error *err = add_made(initramfs, &KEPT_SYMBOLS_PATH[1], 0600, &fd);

	for (size_t at = 0; !err && at < symbols->size;) {
		ssize_t n = write(fd, symbols->text + at, symbols->size - at);
		if (n < 0)
			return error_errno("%s", KEPT_SYMBOLS_PATH);
		at += n;
	}
	return err ? err : look_at(initramfs, KEPT_SYMBOLS_PATH);
}

static struct error *add_programs(struct initramfs *initramfs, const char *self,
				  const struct initramfs_programs *programs)
{
	struct error *err = add_copy(initramfs, self, "init");

	if (!err)
		err = add_copy(initramfs, programs->makedumpfile, "bin/makedumpfile");
	if (!err && programs->age)
		err = add_copy(initramfs, programs->age, "bin/age");
	if (!err && programs->age)
		err = add_copy(initramfs, programs->recipients, &AGE_RECIPIENTS_PATH[1]);
	if (!err)
		err = add_libraries(initramfs, (const char *[]){ self, programs->makedumpfile,
								 programs->age, NULL });
	return err;
}

static struct error *fill(struct initramfs *initramfs, struct config *config,
			  const struct driver_modules *modules,
			  const struct initramfs_programs *programs,
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
		err = add_programs(initramfs, self, programs);
	if (!err)
		err = add_modules(initramfs, modules, config);
	if (!err && symbols->text)
		err = add_symbols(initramfs, symbols);
	if (!err)
		err = add_config(initramfs, config);
	return err;
}

/* By path: then a folder comes before what is in it. */
static int compare(const void *a, const void *b)
{
	const struct initramfs_entry *first = a, *second = b;

	return strcmp(first->path, second->path);
}

static uint64_t padded(uint64_t size)
{
	return (size + 3) / 4 * 4;
}

static uint64_t archive_size(const struct initramfs *initramfs)
{
	uint64_t size = padded(HEADER_SIZE + sizeof(TRAILER));

	for (size_t i = 0; i < initramfs->entries.count; i++) {
		const struct initramfs_entry *entry = &initramfs->entries.data[i];
		size += padded(HEADER_SIZE + strlen(entry->path) + 1) + padded(entry->size);
	}
	return size;
}

static struct error *sum_up(struct initramfs *initramfs)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd = memfd_create("content", MFD_CLOEXEC);

	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return error_errno("memfd");
	for (size_t i = 0; i < initramfs->entries.count; i++) {
		const struct initramfs_entry *entry = &initramfs->entries.data[i];
		fprintf(file, "%06o %s %s\n", entry->mode, entry->sha256, entry->path);
	}
	if (fflush(file))
		return error_errno("memfd");
	lseek(fd, 0, SEEK_SET);
	initramfs->size = archive_size(initramfs);
	return sha256_of(fd, "initramfs", initramfs->content);
}

struct error *initramfs_plan(struct config *config, const struct driver_modules *modules,
			     const struct initramfs_programs *programs,
			     const struct kept_symbols *symbols, struct initramfs *ret)
{
	*ret = (struct initramfs){ 0 };
	struct error *err = fill(ret, config, modules, programs, symbols);

	if (!err) {
		qsort(ret->entries.data, ret->entries.count, sizeof(*ret->entries.data), compare);
		err = sum_up(ret);
	}
	return error_prefix(err, "initramfs");
}

/* --- the archive ----------------------------------------------------------------------- */

static void pad(FILE *out, uint64_t size)
{
	static const char zeros[3];

	fwrite(zeros, 1, padded(size) - size, out);
}

/*
 * "070701", then thirteen numbers of eight hexadecimal digits: inode, mode, uid, gid, links, time, size, the device's
 * major and minor, the same of a device node, the name's size with its 0, no checksum; the name (Documentation/
 * driver-api/early-userspace/buffer-format.rst). Name and content end at multiples of four. No owner but root, no time, and the
 * inodes counted: the same files give the same bytes wherever, whenever and by whom they are archived.
 */
static void write_header(FILE *out, size_t inode, unsigned int mode, uint32_t size,
			 const char *name)
{
	size_t name_size = strlen(name) + 1;

	fprintf(out, "070701%08zX%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX%08X", inode, mode, 0,
		0, 1, 0, size, 0, 0, 0, 0, name_size, 0);
	fwrite(name, 1, name_size, out);
	pad(out, HEADER_SIZE + name_size);
}

static struct error *write_content(FILE *out, const struct initramfs_entry *entry)
{
	char buffer[64 * 1024];
	const char *name = entry->source ? entry->source : entry->path;

	for (uint32_t at = 0; at < entry->size;) {
		uint32_t left = entry->size - at;
		ssize_t n =
			pread(entry->fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer), at);
		if (n <= 0)
			return n ? error_errno("%s", name)
				 : error_create(ERROR_OTHER, "%s: it became shorter", name);
		if (fwrite(buffer, 1, n, out) != (size_t)n)
			return error_errno("writing");
		at += n;
	}
	pad(out, entry->size);
	return NULL;
}

struct error *initramfs_write(const struct initramfs *initramfs, FILE *out)
{
	struct error *err = NULL;

	for (size_t i = 0; !err && i < initramfs->entries.count; i++) {
		const struct initramfs_entry *entry = &initramfs->entries.data[i];
		write_header(out, i + 1, entry->mode, entry->size, entry->path);
		if (entry->fd >= 0)
			err = write_content(out, entry);
	}
	if (!err)
		write_header(out, 0, 0, 0, TRAILER);
	if (!err && fflush(out))
		err = error_errno("writing");
	else if (!err && ferror(out))
		err = error_create(ERROR_SYSTEM, "writing failed");
	return error_prefix(err, "initramfs");
}

void initramfs_deinit(struct initramfs *initramfs)
{
	for (size_t i = 0; i < initramfs->entries.count; i++) {
		struct initramfs_entry *entry = &initramfs->entries.data[i];
		if (entry->fd >= 0)
			close(entry->fd);
		free(entry->path);
		free(entry->source);
	}
	vector_deinit(&initramfs->entries);
	*initramfs = (struct initramfs){ 0 };
}
