// SPDX-License-Identifier: GPL-2.0-only
#include "capture/locked_memory.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_NEEDED (48 * 1024)
#define PAGE	     4096

struct segment {
	void *begin;
	size_t size;
};

static struct segment segment_of(const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
	return (struct segment){ (void *)(info->dlpi_addr + header->p_vaddr), header->p_memsz };
}

/* Whether it has one of the program's functions, or one of the C library's. */
static bool is_wanted(const struct dl_phdr_info *info)
{
	const uintptr_t functions[] = { (uintptr_t)memory_lock, (uintptr_t)write };

	for (int i = 0; i < info->dlpi_phnum; i++) {
		struct segment segment = segment_of(info, &info->dlpi_phdr[i]);
		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		for (size_t j = 0; j < sizeof(functions) / sizeof(functions[0]); j++)
			if (functions[j] - (uintptr_t)segment.begin < segment.size)
				return true;
	}
	return false;
}

/* What can be written has been, at the start: it stays. The rest would come back from its file. */
static int drop_object(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	for (int i = 0; i < info->dlpi_phnum && !is_wanted(info); i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		struct segment segment = segment_of(info, header);
		uintptr_t begin = (uintptr_t)segment.begin & ~(PAGE - 1UL);
		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
			madvise((void *)begin, (uintptr_t)segment.begin + segment.size - begin,
				MADV_DONTNEED);
	}
	return 0;
}

/* Returns an errno, and so ends the search, if that fails. */
static int lock_object(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	for (int i = 0; i < info->dlpi_phnum && is_wanted(info); i++) {
		struct segment segment = segment_of(info, &info->dlpi_phdr[i]);
		if (info->dlpi_phdr[i].p_type == PT_LOAD && mlock(segment.begin, segment.size))
			return errno;
	}
	return 0;
}

struct error *memory_lock(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	dl_iterate_phdr(drop_object, NULL);
	/* For later, without CAP_IPC_LOCK: a thread's stack is mapped memory. It may be unlimited already. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return error_errno("watch: cannot lock its memory");
	errno = dl_iterate_phdr(lock_object, NULL);
	if (errno)
		return error_errno("watch: cannot lock its program");
	return NULL;
}

void memory_touch_stack(void)
{
	volatile char room[STACK_NEEDED];

	for (size_t i = 0; i < sizeof(room); i += PAGE)
		room[i] = 0;
}
