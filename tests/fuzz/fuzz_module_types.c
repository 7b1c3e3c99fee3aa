// SPDX-License-Identifier: GPL-2.0-only
/* The list of modules' BTF, which begins at FUZZ_VA: of a module at FUZZ_VA, and of others. */
#include "fuzz.h"
#include "symbols/module_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	const struct module module = { .name = "input", .object = FUZZ_VA };
	struct module_types all;
	const struct types *types;
	struct member member;
	int64_t value;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/module_types.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	const struct types *kernels = kernel->symbols.types;
	fuzz_ok(module_types_init(&all, &kernel->memory, kernels, FUZZ_VA));
	for (int i = 0; i < 2; i++)
		fuzz_ok(module_types_get(&all, &kernel->memory, kernels, &module, &types));
	types_member(types, "s", "a.next", &member);
	types_member(types, "s", "b", &member);
	types_enumerator(types, "s", "b", &value);
	types_enumerator(types, "e", "b", &value);
	types_sizeof(types, "list_head");
	module_types_deinit(&all);
	return 0;
}
