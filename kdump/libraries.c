// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/run.h"

static void end_elf(Elf **elf)
{
	elf_end(*elf);
}

/* PT_INTERP: the loader that the kernel starts for @program. */
static struct error *loader_of(const char *program, char ret[static PATH_MAX])
{
	_cleanup_close_ int fd = open(program, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno("%s", program);
	elf_version(EV_CURRENT);
	_cleanup_(end_elf) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	size_t count = 0;
	if (!elf || elf_getphdrnum(elf, &count))
		return error_create(ERROR_OTHER, "%s: %s", program, elf_errmsg(-1));
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_INTERP)
			continue;
		if (phdr.p_filesz == 0 || phdr.p_filesz >= PATH_MAX)
			break;
		ssize_t n = pread(fd, ret, phdr.p_filesz, phdr.p_offset);
		if (n != (ssize_t)phdr.p_filesz)
			break;
		ret[n] = '\0';
		return NULL;
	}
	return error_create(ERROR_OTHER, "%s: not a dynamically linked program", program);
}

/*
 * The loader knows best which file it would take (its cache, RUNPATH, hwcaps), so it is asked. Its lines:
 *	libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f...)
 *	libfoo.so.3 => not found
 *	/lib64/ld-linux-x86-64.so.2 (0x00007f...)
 */
static struct error *parse_list(FILE *list, const char *program, struct strings *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	struct error *err = NULL;

	while (!err && getline(&line, &size, list) > 0) {
		char *file = strstr(line, " => ");
		if (!file)
			continue;
		file += strlen(" => ");
		char *end = strstr(file, " (0x");
		if (!end)
			return error_create(ERROR_NOT_FOUND, "%s: library %.*s: not found", program,
					    (int)strcspn(line + strspn(line, " \t"), " "),
					    line + strspn(line, " \t"));
		*end = '\0';
		if (*file == '/')
			err = strings_add_once(ret, file);
	}
	return err;
}

struct error *libraries_of(const char *program, struct strings *ret, struct strings *ret_loaders)
{
	char loader[PATH_MAX];
	struct run run = RUN_INIT;
	_cleanup_close_ int fd = memfd_create("libraries", MFD_CLOEXEC);

	if (fd < 0)
		return error_errno("memfd");
	struct error *err = loader_of(program, loader);
	if (err)
		return err;
	run.output = fd;
	run.limit_s = 30;
	err = run_program(&run, (const char *[]){ loader, "--list", program, NULL });
	if (err)
		return error_prefix(err, "libraries of %s", program);
	_cleanup_fclose_ FILE *list = fdopen(dup(fd), "r");
	if (!list)
		return error_errno("libraries of %s", program);
	rewind(list);
	err = parse_list(list, program, ret);
	return err ? err : strings_add_once(ret_loaders, loader);
}
