// SPDX-License-Identifier: GPL-2.0-only
#include "capture/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CRASH_LOADED_PATH "/sys/kernel/kexec_crash_loaded"
#define SYSRQ_PATH	  "/proc/sysrq-trigger"
#define TEST_SIZE	  65536

struct error *preflight_privilege(void)
{
	if (geteuid())
		return error_create(ERROR_SYSTEM, "watch: not root; run it as root");
	return NULL;
}

/* A lock of fcntl()'s is this process's, not its children's, ends with it, and tells who has it. */
struct error *preflight_alone(const char *path, int *ret_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	*ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0)
		return error_errno("watch: %s", path);
	if (!fcntl(*ret_fd, F_SETLK, &lock))
		return NULL;
	struct error *err = error_errno("watch: %s", path);
	if (!fcntl(*ret_fd, F_GETLK, &lock) && lock.l_type != F_UNLCK) {
		error_destroy(err);
		err = error_create(ERROR_OTHER,
				   "watch: another one runs, pid %d; end it first (kill %d)",
				   lock.l_pid, lock.l_pid);
	}
	close(*ret_fd);
	*ret_fd = -1;
	return err;
}

/* Writes a file without a name, where the file system has those, so that nothing can stay behind. */
static int open_test_file(int storefd)
{
	static const char name[] = ".lockdump-test.incomplete";
	int fd = openat(storefd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	unlinkat(storefd, name, 0);
	fd = openat(storefd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(storefd, name, 0);
	return fd;
}

static struct error *store_errno(const char *store, const char *what)
{
	return error_create(ERROR_SYSTEM, "store %s: %s%s; name another with --store", store, what,
			    strerror(errno));
}

static struct error *test_write(const char *store, int storefd)
{
	static const char zeros[TEST_SIZE];
	_cleanup_close_ int fd = open_test_file(storefd);

	if (fd < 0)
		return store_errno(store, "cannot be written: ");
	ssize_t written = write(fd, zeros, sizeof(zeros));
	if (written >= 0 && written < (ssize_t)sizeof(zeros))
		errno = ENOSPC;
	if (written < (ssize_t)sizeof(zeros) || fsync(fd))
		return store_errno(store, "cannot be written: ");
	return NULL;
}

struct error *preflight_store(const char *store, uint64_t size)
{
	_cleanup_close_ int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statvfs vfs;

	if (fd < 0 && errno == ENOENT)
		return error_create(ERROR_SYSTEM,
				    "store %s: %s; make it, or name another with --store", store,
				    strerror(errno));
	if (fd < 0)
		return store_errno(store, "");
	struct error *err = test_write(store, fd);
	if (err)
		return err;
	if (fstatvfs(fd, &vfs))
		return store_errno(store, "");
	uint64_t room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (room < size)
		return error_create(
			ERROR_SYSTEM,
			"store %s: full: %llu KB are free, an incident takes %llu KB; make "
			"room, or name another with --store",
			store, (unsigned long long)room / 1024, (unsigned long long)size / 1024);
	return NULL;
}

struct error *preflight_crash_kernel(void)
{
	_cleanup_fclose_ FILE *file = fopen(CRASH_LOADED_PATH, "re");

	if (!file)
		return error_create(ERROR_SYSTEM,
				    CRASH_LOADED_PATH ": %s; it takes a kernel with "
						      "CONFIG_CRASH_DUMP=y and CONFIG_KEXEC_CORE=y",
				    strerror(errno));
	if (getc(file) != '1')
		return error_create(ERROR_SYSTEM,
				    "no crash kernel is loaded; run 'lockdump arm' first");
	return NULL;
}

struct error *preflight_sysrq(int *ret_fd)
{
	*ret_fd = open(SYSRQ_PATH, O_WRONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return error_create(ERROR_SYSTEM,
				    SYSRQ_PATH ": %s; it must be writable (systemd's "
					       "ProtectKernelTunables= forbids that)",
				    strerror(errno));
	return NULL;
}
