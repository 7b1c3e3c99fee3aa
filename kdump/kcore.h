/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel's memory, by /proc/kcore: an ELF core whose segments have both addresses. */
#ifndef LOCKDUMP_KCORE_H
#define LOCKDUMP_KCORE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct kcore {
	int fd;
	Elf64_Phdr *segments;
	size_t count;
};

/* Opens it under @root, which is "" but in tests. It takes root, and no lockdown=confidentiality. */
struct error *kcore_open(const char *root, struct kcore *ret);
void kcore_close(struct kcore *kcore);

/* Reads what is at a virtual, or a physical, address. */
struct error *kcore_read(const struct kcore *kcore, uint64_t address, void *buf, size_t size);
struct error *kcore_read_physical(const struct kcore *kcore, uint64_t address, void *buf,
				  size_t size);

#endif
