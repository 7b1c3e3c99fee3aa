// SPDX-License-Identifier: GPL-2.0-only
#include "capture/locked_memory.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_NEEDED (48 * 1024)
#define PAGE	     4096

/* One of the program's functions, and one of the C library's. */
static bool is_wanted(uintptr_t begin, uintptr_t end)
{
	const uintptr_t functions[] = { (uintptr_t)memory_lock, (uintptr_t)write };

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (functions[i] >= begin && functions[i] < end)
			return true;
	return false;
}

/* Returns an errno, and so ends the search, if that fails. */
static int lock_object(struct dl_phdr_info *info, size_t size, void *context)
{
	bool wanted = false;

	(void)size;
	(void)context;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			wanted |= is_wanted(begin, begin + info->dlpi_phdr[i].p_memsz);
	}
	for (int i = 0; wanted && i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    mlock((const void *)begin, info->dlpi_phdr[i].p_memsz))
			return errno;
	}
	return 0;
}

struct error *memory_lock(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	malloc_trim(0); /* what loading BPF has left need not be locked */
	/* Also for later, without CAP_IPC_LOCK: a thread's stack is mapped memory. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
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
