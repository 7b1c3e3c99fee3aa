// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kcore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATH	     "/proc/kcore"
#define MAX_SEGMENTS 65536

/* A read that ends early is an error, too. */
static struct error *read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(PATH);
		if (!n)
			return error_create(ERROR_CORRUPT, PATH " ends early");
		done += n;
	}
	return NULL;
}

static struct error *read_segments(struct kcore *kcore)
{
	Elf64_Ehdr ehdr;
	struct error *err = read_at(kcore->fd, 0, &ehdr, sizeof(ehdr));

	if (err)
		return err;
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_phentsize != sizeof(Elf64_Phdr) || ehdr.e_phnum >= MAX_SEGMENTS - 1)
		return error_create(ERROR_CORRUPT, PATH ": no ELF core");
	kcore->segments = calloc(ehdr.e_phnum + 1, sizeof(Elf64_Phdr));
	if (!kcore->segments)
		return &error_no_memory;
	kcore->count = ehdr.e_phnum;
	return read_at(kcore->fd, ehdr.e_phoff, kcore->segments, kcore->count * sizeof(Elf64_Phdr));
}

struct error *kcore_open(const char *root, struct kcore *ret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" PATH, root);
	*ret = (struct kcore){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (ret->fd < 0)
		return error_errno(PATH);
	struct error *err = read_segments(ret);
	if (err)
		kcore_close(ret);
	return err;
}

void kcore_close(struct kcore *kcore)
{
	if (kcore->fd >= 0)
		close(kcore->fd);
	free(kcore->segments);
	*kcore = (struct kcore){ .fd = -1 };
}

static struct error *read_memory(const struct kcore *kcore, bool physical, uint64_t address,
				 void *buf, size_t size)
{
	for (size_t i = 0; i < kcore->count; i++) {
		const Elf64_Phdr *segment = &kcore->segments[i];
		uint64_t start = physical ? segment->p_paddr : segment->p_vaddr;
		if (segment->p_type == PT_LOAD && address >= start &&
		    address - start < segment->p_filesz &&
		    size <= segment->p_filesz - (address - start))
			return read_at(kcore->fd, segment->p_offset + (address - start), buf, size);
	}
	return error_fault(ERROR_UNMAPPED, address, PATH ": no memory at 0x%llx",
			   (unsigned long long)address);
}

struct error *kcore_read(const struct kcore *kcore, uint64_t address, void *buf, size_t size)
{
	return read_memory(kcore, false, address, buf, size);
}

struct error *kcore_read_physical(const struct kcore *kcore, uint64_t address, void *buf,
				  size_t size)
{
	return read_memory(kcore, true, address, buf, size);
}
