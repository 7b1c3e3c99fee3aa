// SPDX-License-Identifier: GPL-2.0-only
/* The vmcoreinfo's lines. */
#include "dump/vmcoreinfo.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vmcoreinfo info = { (const char *)data, size };
	const char *value;
	uint64_t number;
	size_t value_size;

	if (vmcoreinfo_string(&info, "OSRELEASE", &value, &value_size))
		fuzz_touch(value, value_size);
	if (vmcoreinfo_string(&info, "BUILD-ID", &value, &value_size))
		fuzz_touch(value, value_size);
	vmcoreinfo_symbol(&info, "_stext", &number);
	vmcoreinfo_number(&info, "NUMBER(phys_base)", &number);
	vmcoreinfo_hex(&info, "KERNELOFFSET", &number);
	return 0;
}
