// SPDX-License-Identifier: GPL-2.0-only
#include "capture/shared.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/clock.h"

struct error *shared_create(uint32_t nr_cpus, struct shared **ret)
{
	size_t size = sizeof(struct shared) + nr_cpus * sizeof((*ret)->taken[0]);

	*ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	if (*ret == MAP_FAILED)
		return error_errno("cannot map shared memory");
	return NULL;
}

void watch_describe(const struct watch *watch, char *ret, size_t size)
{
	const struct watch_options *options = watch->options;
	char trigger[64];
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	trigger_describe(&watch->trigger, options, trigger, sizeof(trigger));
	snprintf(ret, size, "watching %ld CPU%s by %s, threshold %g s, trigger %s", nr_cpus,
		 nr_cpus == 1 ? "" : "s", watch->recorder.hook,
		 (double)options->threshold_ns / NS_PER_SEC, trigger);
}
