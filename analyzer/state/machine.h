/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine was: its kernel, since when it ran, its memory. */
#ifndef LOCKDUMP_MACHINE_H
#define LOCKDUMP_MACHINE_H

#include "state/dmesg.h"
#include "state/kernel.h"

#define MACHINE_UNKNOWN UINT64_MAX
#define UTS_SIZE	65 /* __NEW_UTS_LEN + 1 */

struct machine {
	char release[UTS_SIZE], version[UTS_SIZE], machine[UTS_SIZE]; /* "": unknown */
	char build_id[64 + 1];
	char boot_id[36 + 1];
	char cmdline[4096];
	uint64_t taint; /* bits of TAINT_... */
	uint64_t kaslr_offset;
	uint64_t uptime_ns; /* CLOCK_BOOTTIME at the crash */
	uint64_t crash_time_s; /* since 1970 */
	const char *panic; /* the panic's message, in the log's memory; NULL if there was none */
	uint64_t panic_t_ns; /* when the log has it */

	/* In pages; MACHINE_UNKNOWN what could not be read. */
	uint64_t total, free, slab, anon, file, swap_total, swap_free;
};

void machine_init(struct machine *machine, struct kernel *kernel, const struct dmesg *dmesg);

/* The letters of @taint as the kernel prints them, without those that stand for "not": "OE"; "" for none. */
void machine_taint_letters(uint64_t taint, char ret[33]);

#endif
