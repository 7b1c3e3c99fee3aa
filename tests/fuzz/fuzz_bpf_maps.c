// SPDX-License-Identifier: GPL-2.0-only
/* The tree of BPF maps, whose struct idr is at FUZZ_VA, and a flight record in it. */
#include "fuzz.h"
#include "state/bpf_maps.h"
#include "state/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct record record;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/bpf_maps.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (kernel && fuzz_ok(record_from_kernel(kernel, &record)))
		record_deinit(&record);
	return 0;
}
