// SPDX-License-Identifier: GPL-2.0-only
#include "capture/pin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static struct error *mount_bpffs(const char *path)
{
	if (is_bpffs(path))
		return NULL;
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700"))
		return error_errno("%s: no BPF file system, and none can be mounted", path);
	return NULL;
}

/* The file system may be open to all (its root is, as a plain mount makes it): a folder that others own is theirs. */
static struct error *check_dir(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return error_errno("%s", path);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return error_create(
			ERROR_OTHER,
			"%s: user %u's, with the mode %03o: not to be trusted; remove it", path,
			st.st_uid, st.st_mode & 0777);
	return NULL;
}

struct error *pins_open(const char *bpffs, struct pins *ret)
{
	*ret = (struct pins){};
	struct pins pins;

	if ((size_t)snprintf(pins.dir, sizeof(pins.dir), "%s/" PIN_DIR_NAME, bpffs) >=
	    sizeof(pins.dir)) {
		errno = ENAMETOOLONG;
		return error_errno("%s", bpffs);
	}
	struct error *err = mount_bpffs(bpffs);
	if (err)
		return err;
	if (mkdir(pins.dir, 0700) && errno != EEXIST)
		return error_errno("%s: cannot make the folder", pins.dir);
	err = check_dir(pins.dir);
	if (!err)
		*ret = pins;
	return err;
}

struct pin_path {
	char text[2 * PIN_PATH_SIZE];
};

static bool make_path(const struct pins *pins, const char *name, struct pin_path *ret)
{
	if (!*pins->dir || (size_t)snprintf(ret->text, sizeof(ret->text), "%s/%s", pins->dir,
					    name) >= sizeof(ret->text)) {
		errno = ENOENT;
		return false;
	}
	return true;
}

static struct error *pin(const struct pins *pins, int fd, const char *name)
{
	struct pin_path path;

	if (make_path(pins, name, &path) && bpf_obj_pin(fd, path.text))
		return error_errno("%s: cannot be pinned", path.text);
	return NULL;
}

struct error *pin_map(const struct pins *pins, const struct bpf_map *map, const char *name)
{
	return pin(pins, bpf_map__fd(map), name);
}

struct error *pin_link(const struct pins *pins, const struct bpf_link *link, const char *name)
{
	return pin(pins, bpf_link__fd(link), name);
}

int pin_get(const struct pins *pins, const char *name)
{
	struct pin_path path;

	return make_path(pins, name, &path) ? bpf_obj_get(path.text) : -1;
}

void pin_remove(const struct pins *pins, const char *name)
{
	struct pin_path path;

	if (make_path(pins, name, &path))
		unlink(path.text);
}

static bool remove_one(const char *name, void *arg)
{
	pin_remove(arg, name);
	return true;
}

void pin_remove_all(const struct pins *pins, const char *prefix)
{
	pin_each(pins, prefix, remove_one, (void *)pins);
}

void pin_each(const struct pins *pins, const char *prefix,
	      bool (*function)(const char *name, void *arg), void *arg)
{
	DIR *dir = *pins->dir ? opendir(pins->dir) : NULL;

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    !function(entry->d_name, arg))
			break;
	closedir(dir);
}

/* The descriptors are nobody's: they are closed when the process ends. */
static bool hold_one(const char *name, void *arg)
{
	return pin_get(arg, name) >= 0 || errno == ENOENT;
}

void pin_hold(const struct pins *pins, const char *prefix)
{
	pin_each(pins, prefix, hold_one, (void *)pins);
}

void pins_destroy(const struct pins *pins)
{
	pin_remove_all(pins, PIN_TRIGGER);
	pin_remove_all(pins, "");
	if (*pins->dir)
		rmdir(pins->dir);
}
