/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Panics that somebody outside asks for, with --trigger-on nmi or pretimeout: the kernel panics on an NMI that nobody knows
 * (a button, a management board's command), or on the warning that a hardware watchdog gives before it resets the
 * machine. Both are settings of the kernel's, which a clean end puts back as they were.
 */
#ifndef LOCKDUMP_EXTERNAL_H
#define LOCKDUMP_EXTERNAL_H

#include <stddef.h>
#include <stdint.h>

#define EXTERNAL_MAX 16

enum external_request {
	EXTERNAL_NMI = 1 << 0,
	EXTERNAL_PRETIMEOUT = 1 << 1,
};

struct external {
	struct external_setting {
		char path[128];
		char before[32];
	} settings[EXTERNAL_MAX];
	size_t count;
};

/*
 * Sets what @requests, bits of enum external_request, want, and says on stderr what is not to be had. @root is
 * put before the paths: "".
 */
void external_set(uint32_t requests, const char *root, struct external *ret);

/* Puts everything back. */
void external_restore(const struct external *external);

#endif
