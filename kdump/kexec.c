// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kexec.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/rooted.h"
#include "kdump/run.h"

#define KEXEC_LIMIT_S 60

static struct error *read_number(const char *root, const char *path, unsigned long *ret)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, path);

	if (!file || fscanf(file, "%lu", ret) != 1)
		return error_errno("%s", path);
	return NULL;
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
	struct error *err = read_number(root, "/sys/kernel/kexec_crash_size", &bytes);

	if (err) {
		error_destroy(err);
		return error_create(ERROR_OTHER,
				    "crash kernel: this kernel has no kexec "
				    "(/sys/kernel/kexec_crash_size is not there); "
				    "boot one with CONFIG_KEXEC and CONFIG_CRASH_DUMP");
	}
	if (!bytes)
		return error_create(ERROR_OTHER, "crash kernel: no memory is reserved for it; "
						 "boot with crashkernel=192M (or what "
						 "'lockdump arm --estimate' says)");
	*ret = reserved_in_iomem(root);
	if (!*ret)
		*ret = bytes / 1024;
	return NULL;
}

bool kexec_crash_loaded(const char *root)
{
	unsigned long loaded = 0;
	struct error *err = read_number(root, "/sys/kernel/kexec_crash_loaded", &loaded);

	error_destroy(err);
	return loaded;
}

static struct error *load_by(const char *flag, const char *kernel, const char *initramfs,
			     const char *cmdline)
{
	_cleanup_free_ char *initrd = NULL, *append = NULL;
	struct run run = RUN_INIT;

	run.limit_s = KEXEC_LIMIT_S;
	if (asprintf(&initrd, "--initrd=%s", initramfs) < 0 ||
	    asprintf(&append, "--append=%s", cmdline) < 0)
		return &error_no_memory;
	struct error *err = run_program(
		&run, (const char *[]){ "kexec", "-p", flag, initrd, append, kernel, NULL });
	if (!err && !kexec_crash_loaded(""))
		err = error_create(ERROR_OTHER,
				   "kexec: exit status 0, but no crash kernel is loaded");
	return err;
}

/*
 * kexec_file_load first: the kernel does the work, checks a signature, and it is the only one
 * that lockdown allows. kexec_load is there for kernels without it.
 */
struct error *kexec_load_crash(const char *kernel, const char *initramfs, const char *cmdline,
			       const char **ret)
{
	struct error *first = load_by("-s", kernel, initramfs, cmdline);

	*ret = "kexec_file_load";
	if (!first)
		return NULL;
	struct error *second = load_by("-c", kernel, initramfs, cmdline);
	*ret = "kexec_load";
	if (second) {
		struct error *err = error_create(
			ERROR_OTHER, "crash kernel %s: %s (kexec_file_load); %s (kexec_load)",
			kernel, first->message, second->message);
		error_destroy(second);
		second = err;
	}
	error_destroy(first);
	return second;
}

struct error *kexec_unload_crash(void)
{
	struct run run = RUN_INIT;

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
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? error_create(ERROR_NOT_FOUND,
						      "kernel %s: there is no such file; "
						      "give another with --kernel",
						      file)
				       : error_errno("kernel %s", file);
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
