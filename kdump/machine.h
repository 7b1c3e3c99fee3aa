/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loaded crash kernel depends on of the machine: it was loaded for this kernel, these CPUs, this memory. */
#ifndef LOCKDUMP_MACHINE_H
#define LOCKDUMP_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the kernel brings the crash kernel's headers up to date when something is plugged in or out. */
enum updates {
	UPDATES_UNKNOWN, /* before 6.5, or without CONFIG_CRASH_HOTPLUG: it does not */
	UPDATES_NO,
	UPDATES_YES,
};

struct machine {
	char release[72];
	char boot_id[40];
	char build_id[64]; /* of the running kernel, hexadecimal; "": not known */
	char cpus[256]; /* that are present: "0-3,8" */
	unsigned long memory_kb; /* System RAM; 0: not known, which is so if this is not root */
	unsigned long kernel_kb; /* of it, the kernel's own image; 0: not known */
	enum updates cpu_updates;
	enum updates memory_updates;
};

/* Reads it from under @root, which is "" but in tests. What cannot be read is left empty. */
void machine_read(const char *root, struct machine *ret);

#endif
