// SPDX-License-Identifier: GPL-2.0-only
/* Flattened vmcores: the input is the file. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_dump(data, size, false);
	return 0;
}
