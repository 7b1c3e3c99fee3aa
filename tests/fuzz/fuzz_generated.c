// SPDX-License-Identifier: GPL-2.0-only
/* Lists of code that was made at run time; their heads are at FUZZ_VA, one each 64 bytes. */
#include <string.h>

#include "fuzz.h"
#include "symbols/generated.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	static const struct generated_lists lists = { FUZZ_VA, FUZZ_VA + 0x40, FUZZ_VA + 0x80,
						      FUZZ_VA + 0xc0 };
	struct generated generated;
	struct arena arena = {};

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/generated.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	fuzz_ok(generated_init(&generated, &kernel->memory, kernel->symbols.types, &lists, &arena));
	for (size_t i = 0; i < generated.list.count; i++) {
		const struct generated_code *code =
			generated_find(&generated, generated.list.data[i].start);
		if (code)
			fuzz_touch(code->name, strlen(code->name) + 1);
	}
	generated_find(&generated, UINT64_MAX);
	generated_deinit(&generated);
	arena_deinit(&arena);
	return 0;
}
