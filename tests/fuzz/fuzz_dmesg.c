// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log out of its ring buffer. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "state/dmesg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	static FILE *null;

	if (!base) {
		base = fuzz_base_kernel(NULL);
		null = fopen("/dev/null", "w");
	}
	/* It opens the dump itself, reads the log and prints it. */
	fuzz_ok(dmesg_print(fuzz_vmcore(base, data, size), null));
	return 0;
}
