// SPDX-License-Identifier: GPL-2.0-only
#include "capture/shared.h"

#include <sys/mman.h>

struct error *shared_create(uint32_t nr_cpus, struct shared **ret)
{
	size_t size = sizeof(struct shared) + nr_cpus * sizeof((*ret)->taken_onset_ns[0]);

	*ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	if (*ret == MAP_FAILED)
		return error_errno("cannot map shared memory");
	return NULL;
}
