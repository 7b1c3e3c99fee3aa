/* SPDX-License-Identifier: GPL-2.0-only */
/* The groups of what 'doctor' looks at, each a function that adds its findings. None changes anything. */
#ifndef LOCKDUMP_DOCTOR_H
#define LOCKDUMP_DOCTOR_H

#include <stdbool.h>

#include "capture/findings.h"

struct doctor {
	const char *root; /* before all paths: "" but in tests */
	const char *store;
	bool is_root; /* who is not cannot load programs */
	struct findings findings;

	/* Found by doctor_recorder() for doctor_trigger(). */
	bool has_recorder;
	struct error *no_kernel_trigger; /* owned; NULL, with the recorder: it is there */
};

/* capture/doctor_recorder.c: the programs in the kernel, and the kernel's own trigger. */
void doctor_recorder(struct doctor *doctor);

/* capture/doctor_kernel.c */
void doctor_kconfig(struct doctor *doctor, const char *release);
void doctor_lockdown(struct doctor *doctor);
void doctor_sysctls(struct doctor *doctor);

/* capture/doctor_crash.c: what a crash takes to be saved. */
void doctor_crash_kernel(struct doctor *doctor);
void doctor_trigger(struct doctor *doctor);
void doctor_store(struct doctor *doctor);

/* capture/doctor_privileges.c */
void doctor_privileges(struct doctor *doctor);

/* The first @size - 1 bytes of the file @path under the root, as text, without its last newline; false: it cannot be read. */
bool doctor_read(const struct doctor *doctor, const char *path, char *ret, size_t size);

#endif
