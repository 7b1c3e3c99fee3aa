/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine was: its kernel, since when it ran, its load, its memory. */
#ifndef LOCKDUMP_MACHINE_H
#define LOCKDUMP_MACHINE_H

#include "state/clocks.h"
#include "state/meminfo.h"

#define MACHINE_UNKNOWN	     UINT64_MAX
#define UTS_SIZE	     65 /* __NEW_UTS_LEN + 1 */
#define MACHINE_BOOT_ID_SIZE (36 + 1)

struct machine {
	char release[UTS_SIZE], version[UTS_SIZE], machine[UTS_SIZE]; /* "": unknown */
	char build_id[64 + 1];
	char boot_id[MACHINE_BOOT_ID_SIZE];
	char cmdline[4096];
	uint64_t taint; /* bits of TAINT_... */
	uint64_t kaslr_offset;
	uint64_t uptime_ns; /* CLOCK_BOOTTIME at the crash */
	uint64_t crash_time_s; /* since 1970 */
	const char *panic; /* the panic's message, in the log's memory; NULL if there was none */
	uint64_t panic_t_ns; /* when the log has it */

	int32_t panic_cpu; /* the CPU that panicked; -1: none did, or it is not known */
	int32_t oops_in_progress; /* the kernel was about to print an oops or panic; -1: unknown */
	double load[3]; /* of the last 1, 5 and 15 minutes; below 0: unknown */
	struct meminfo memory;
};

void machine_init(struct machine *machine, struct kernel *kernel, const struct dmesg *dmesg,
		  const struct clocks *clocks);

/* That of the boot, as /proc/sys/kernel/random/boot_id has it; "" if nobody had read that, or it cannot be found. */
void machine_boot_id(struct kernel *kernel, char ret[static MACHINE_BOOT_ID_SIZE]);

/* The letters of @taint as the kernel prints them, without those that stand for "not": "OE"; "" for none. */
void machine_taint_letters(uint64_t taint, char ret[33]);

/* What @bit of @taint means, if it is set: "out-of-tree module"; else NULL. */
#define MACHINE_TAINT_BITS 64
const char *machine_taint_words(uint64_t taint, unsigned int bit);

#endif
