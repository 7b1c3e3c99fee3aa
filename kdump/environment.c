// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/driver_modules.h"
#include "kdump/progress.h"
#include "kdump/run.h"

#define MOUNT_POINT    "/store"
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

struct error *environment_mount_store(const struct config *config, char ret[static PATH_MAX])
{
	char device[PATH_MAX];

	/* One that fails may not be needed after all: whether the disk appears decides. */
	for (size_t i = 0; i < config->modules.count; i++) {
		struct error *err = driver_module_load(config->modules.items[i]);
		if (err)
			progress("%s", err->message);
		error_destroy(err);
	}
	struct error *err = device_wait(config->store_uuid, config->device_s, device);
	if (err)
		return err;
	if (mount(device, MOUNT_POINT, config->store_fs,
		  MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, NULL))
		return error_errno("%s: cannot be mounted as %s", device, config->store_fs);
	struct stat st;
	snprintf(ret, PATH_MAX, MOUNT_POINT "%.4000s", config->store_path);
	if (stat(ret, &st))
		return error_errno("%s: store %s", device, config->store_path);
	progress("store: %s on %s", config->store_path, device);
	return NULL;
}

struct error *environment_unmount_store(void)
{
	/* A child that could not be killed may hold it. Then it is at least synced. */
	sync();
	if (umount2(MOUNT_POINT, 0) && errno != EINVAL && errno != EBUSY)
		return error_errno("%s", MOUNT_POINT);
	return NULL;
}

static struct error *reboot_now(void *arg)
{
	(void)arg;
	reboot(RB_AUTOBOOT);
	return error_errno("reboot");
}

void environment_reboot(void)
{
	struct run run = RUN_INIT;

	/* In a child: a driver that hangs in its shutdown must not be the end. */
	run.limit_s = REBOOT_LIMIT_S;
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
