// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kexec.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "kdump/rooted.h"
#include "kdump/run.h"

#define KEXEC_LIMIT_S 60
#define CRASH_SIZE    "/sys/kernel/kexec_crash_size"

/* 0, or the errno for which there is none. */
static int read_number(const char *root, const char *path, unsigned long *ret)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, path);

	if (file)
		errno = EINVAL; /* of what is no number */
	return file && fscanf(file, "%lu", ret) == 1 ? 0 : errno;
}

/* With crashkernel=,high there are two regions, and kexec_crash_size tells only of the upper. */
static unsigned long reserved_in_iomem(const char *root)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, "/proc/iomem");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned long sum = 0;

	while (file && getline(&line, &size, file) > 0) {
		uint64_t start, end;
		if (strstr(line, ": Crash kernel") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && end > start)
			sum += (end - start + 1) / 1024;
	}
	return sum;
}

struct error *kexec_reserved_kb(const char *root, unsigned long *ret)
{
	unsigned long bytes = 0;

	*ret = reserved_in_iomem(root);
	if (*ret)
		return NULL;
	int status = read_number(root, CRASH_SIZE, &bytes);
	if (status == EBUSY)
		return error_create(ERROR_OTHER, "crash kernel: one is being loaded or unloaded; "
						 "try again when that is done");
	if (status)
		return error_create(ERROR_OTHER,
				    "crash kernel: this kernel has no kexec "
				    "(" CRASH_SIZE " is not there); "
				    "boot one with CONFIG_KEXEC and CONFIG_CRASH_DUMP");
	if (!bytes)
		return error_create(ERROR_OTHER, "crash kernel: no memory is reserved for it; "
						 "boot with crashkernel=192M (or what "
						 "'lockdump arm --estimate' says)");
	*ret = bytes / 1024;
	return NULL;
}

/*
 * One system call at a time may change what is loaded; the others get EBUSY, and so does who reads the size
 * (crash_get_memory_size(), kernel/kexec_core.c, 6.1). A kexec that was killed is in it to its end.
 */
static void wait_for_others(const char *root)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	unsigned long bytes;

	for (int i = 0; i < KEXEC_LIMIT_S * 20 && read_number(root, CRASH_SIZE, &bytes) == EBUSY;
	     i++)
		nanosleep(&pause, NULL);
}

bool kexec_crash_loaded(const char *root)
{
	unsigned long loaded = 0;

	return !read_number(root, "/sys/kernel/kexec_crash_loaded", &loaded) && loaded;
}

/* What the system call said, in the words of kexec: the last lines, after kexec_load's failure, are the segments'. */
static struct error *what_failed(const struct run *run, struct error *err)
{
	const char *said = strstr(run->messages, " failed: ");

	if (!err || !said)
		return err;
	said += strlen(" failed: ");
	error_destroy(err);
	return error_create(ERROR_OTHER, "%.*s", (int)strcspn(said, "\r\n"), said);
}

static struct error *load_by(const char *flag, const char *root, const char *kernel,
			     const char *initramfs, const char *cmdline)
{
	_cleanup_free_ char *initrd = NULL, *append = NULL;
	struct run run = RUN_INIT;

	run.limit_s = KEXEC_LIMIT_S;
	if (asprintf(&initrd, "--initrd=%s", initramfs) < 0 ||
	    asprintf(&append, "--append=%s", cmdline) < 0)
		return &error_no_memory;
	struct error *err = run_program(
		&run, (const char *[]){ "kexec", "-p", flag, initrd, append, kernel, NULL });
	if (err)
		return what_failed(&run, err);
	return kexec_crash_loaded(root)
		       ? NULL
		       : error_create(ERROR_OTHER,
				      "kexec: exit status 0, but no crash kernel is loaded");
}

/* "none [integrity] confidentiality" (security/lockdown/lockdown.c): the mode that is on; NULL: none. */
static const char *lockdown_mode(const char *root)
{
	char text[128];

	if (!rooted_line(root, "/sys/kernel/security/lockdown", text, sizeof(text)))
		return NULL;
	return strstr(text, "[integrity]")	   ? "integrity"
	       : strstr(text, "[confidentiality]") ? "confidentiality"
						   : NULL;
}

/*
 * The kernel says "Operation not permitted", or nothing but a number for a signature, to all of these
 * (kimage_validate_signature() in kernel/kexec_file.c, kexec_load_check() in kernel/kexec.c, 6.1).
 */
static struct error *why_refused(const char *root, const char *kernel, const struct error *refusal)
{
	const char *lockdown = lockdown_mode(root);
	unsigned long disabled = 0;

	if (!read_number(root, "/proc/sys/kernel/kexec_load_disabled", &disabled) && disabled)
		return error_create(ERROR_OTHER,
				    "crash kernel: kernel.kexec_load_disabled is set, which only a "
				    "reboot undoes; load it before that is");
	if (lockdown)
		return error_create(
			ERROR_OTHER,
			"crash kernel %s: the running kernel is locked down (%s) and takes "
			"only one that is signed by a key it trusts: %s; give such a one "
			"with --kernel, enrol its key (mokutil --import), or boot without "
			"lockdown",
			kernel, lockdown, refusal->message);
	return NULL;
}

/*
 * kexec_file_load first: the kernel does the work, checks a signature, and it is the only one
 * that lockdown allows. kexec_load is there for kernels, and for services, without it.
 */
struct error *kexec_load_crash(const char *root, const char *kernel, const char *initramfs,
			       const char *cmdline, const char **ret)
{
	wait_for_others(root);
	struct error *first = load_by("-s", root, kernel, initramfs, cmdline);

	*ret = "kexec_file_load";
	if (!first)
		return NULL;
	struct error *err = why_refused(root, kernel, first);
	if (!err) {
		err = load_by("-c", root, kernel, initramfs, cmdline);
		*ret = "kexec_load";
		if (err) {
			struct error *second = err;
			err = error_create(ERROR_OTHER,
					   "crash kernel %s: %s (kexec_file_load); %s (kexec_load)",
					   kernel, first->message, second->message);
			error_destroy(second);
		}
	}
	error_destroy(first);
	return err;
}

struct error *kexec_unload_crash(void)
{
	struct run run = RUN_INIT;

	wait_for_others("");
	run.limit_s = KEXEC_LIMIT_S;
	struct error *err = run_program(&run, (const char *[]){ "kexec", "-p", "-u", NULL });
	if (!err && kexec_crash_loaded(""))
		err = error_create(ERROR_OTHER,
				   "kexec: exit status 0, but a crash kernel is still loaded");
	return err;
}

/*
 * A bzImage has "HdrS" at 0x202, and at 0x20e the place, less 0x200, of its version string:
 * "6.1.0-13-cloud-amd64 (debian-kernel@...) #1 SMP ..." (Documentation/x86/boot.rst).
 */
static bool bzimage_release(int fd, char ret[static 72])
{
	uint8_t header[0x210];
	uint16_t place;
	char text[72] = "";

	if (pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header + 0x202, "HdrS", 4))
		return false;
	memcpy(&place, header + 0x20e, sizeof(place));
	if (!place || pread(fd, text, sizeof(text) - 1, le16toh(place) + 0x200) <= 0)
		return false;
	size_t len = strcspn(text, " ");
	if (!text[len])
		return false;
	text[len] = '\0';
	strcpy(ret, text);
	return true;
}

struct error *kexec_image_release(const char *file, char ret[static 72])
{
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (access(file, F_OK) && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND,
				    "kernel %s: there is no such file; give another with --kernel",
				    file);
	struct error *err = regular_file_open(file, &fd, &size);
	if (err)
		return error_prefix(err, "kernel");
	if (bzimage_release(fd, ret))
		return NULL;
	/* Other architectures' images do not tell; distributions' file names do. */
	const char *name = strrchr(file, '/');
	name = name ? name + 1 : file;
	if (strncmp(name, "vmlinuz-", 8) && strncmp(name, "vmlinux-", 8) &&
	    strncmp(name, "Image-", 6))
		return error_create(ERROR_OTHER, "kernel %s: not a kernel image", file);
	snprintf(ret, 72, "%s", strchr(name, '-') + 1);
	return NULL;
}
