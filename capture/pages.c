// SPDX-License-Identifier: GPL-2.0-only
#include "capture/pages.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Of an entry in /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGE_THERE (3ULL << 62) /* in memory, or swapped out */

#define CHUNK 512
#define MAX_SIZE \
	(1ULL << 30) /* no memory that is used as memory is larger: the address sanitizer's is */

/* Writes what is there already, be it what an address sanitizer keeps between variables. */
__attribute__((no_sanitize("address"))) static void touch(uintptr_t address)
{
	__atomic_fetch_add((char *)address, 0, __ATOMIC_RELAXED);
}

static void own_range(int pagemap, uintptr_t from, uintptr_t to)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint64_t entries[CHUNK];

	while (from < to) {
		ssize_t n =
			pread(pagemap, entries, sizeof(entries), from / page * sizeof(entries[0]));
		size_t count = n > 0 ? n / sizeof(entries[0]) : 0;
		if (!count)
			return;
		for (size_t i = 0; i < count && from < to; i++, from += page)
			if (entries[i] & PAGE_THERE)
				touch(from);
	}
}

void pages_own(void)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	_cleanup_close_ int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	while (maps && getline(&line, &capacity, maps) >= 0) {
		unsigned long from, to;
		char mode[8];
		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && !strcmp(mode, "rw-p") &&
		    to - from <= MAX_SIZE)
			own_range(pagemap, from, to);
	}
}
