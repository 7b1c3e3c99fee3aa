// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/driver_modules.h"
#include "kdump/progress.h"
#include "kdump/run.h"

#define REBOOT_LIMIT_S 20

static void mount_one(const char *type, const char *point)
{
	/* The kernel may have mounted devtmpfs already. */
	if (mount(type, point, type, MS_NOSUID, NULL) && errno != EBUSY)
		progress("%s: not mounted: %s", point, strerror(errno));
}

/*
 * Not blocking: a serial line that takes nothing must not hold pid 1. What writes
 * to it waits a while and then goes on without (run.c).
 */
static void open_console(void)
{
	int fd = open("/dev/console", O_WRONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void environment_init(void)
{
	umask(077);
	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("devtmpfs", "/dev");
	mount_one("tmpfs", "/tmp");
	open_console();
}

/* One that fails may not be needed after all: whether the disk appears decides. */
void environment_load_modules(const struct strings *files)
{
	for (size_t i = 0; i < files->count; i++) {
		struct error *err = driver_module_load(files->items[i]);
		if (err)
			progress("%s", err->message);
		error_destroy(err);
	}
}

/* arm has followed all symbolic links: one that is there now leads to where nobody wanted the incident. */
static struct error *check_store(const struct place *place)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	const char *path = place->path + strspn(place->path, "/");
	_cleanup_close_ int point = open(place->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (point < 0)
		return error_errno("%s", place->point);
	_cleanup_close_ int fd =
		(int)syscall(SYS_openat2, point, *path ? path : ".", &how, sizeof(how));
	if (fd < 0 && errno == ELOOP)
		return error_create(ERROR_OTHER,
				    "%s: there is a symbolic link in it now: not followed",
				    place->path);
	return fd < 0 ? error_errno("%s", place->path) : NULL;
}

struct error *environment_mount_store(const struct place *place, unsigned int device_s)
{
	char device[PATH_MAX];
	struct error *err = device_wait(place->uuid, device_s, device);

	if (err)
		return err;
	if (mkdir(place->point, 0700) && errno != EEXIST)
		return error_errno("%s", place->point);
	if (mount(device, place->point, place->fs, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
		  *place->options ? place->options : NULL))
		return error_errno("%s: cannot be mounted as %s", device, place->fs);
	err = check_store(place);
	if (!err)
		progress("%s: %s on %s", place->name, place->path, device);
	return error_prefix(err, "%s", device);
}

void environment_store_path(const struct place *place, char ret[static PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s%.4000s", place->point, place->path);
}

struct error *environment_unmount_stores(const struct config *config)
{
	struct place places[MAX_PLACES];
	unsigned int count = config_places(config, places);
	struct error *err = NULL;

	/* A child that could not be killed may hold it. Then it is at least synced. */
	sync();
	for (unsigned int i = 0; i < count; i++)
		if (umount2(places[i].point, 0) && errno != EINVAL && errno != EBUSY &&
		    errno != ENOENT && !err)
			err = error_errno("%s", places[i].point);
	return err;
}

static struct error *reboot_now(void *arg)
{
	(void)arg;
	reboot(RB_AUTOBOOT);
	return error_errno("reboot");
}

void environment_reboot(void (*tick)(void *arg), void *arg)
{
	struct run run = RUN_INIT;

	/* In a child: a driver that hangs in its shutdown must not be the end. */
	run.limit_s = REBOOT_LIMIT_S;
	run.tick = tick;
	run.tick_arg = arg;
	struct error *err = run_function(&run, reboot_now, NULL);
	progress("reboot: %s; now through sysrq", err ? err->message : "nothing happened");
	_cleanup_close_ int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "b", 1) == 1)
		nanosleep(&(struct timespec){ .tv_sec = REBOOT_LIMIT_S }, NULL);
	/* Without pid 1 the kernel panics, and panic= restarts it. */
	_exit(1);
}

unsigned long memory_available_kb(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	unsigned long kb = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &kb) == 1)
			break;
	return kb;
}
