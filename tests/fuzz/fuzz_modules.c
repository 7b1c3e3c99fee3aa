// SPDX-License-Identifier: GPL-2.0-only
/* The list of modules, which begins at FUZZ_VA, and their symbols; the name of one that was unloaded. With NUMBER(mem) in the input, as 6.4 has them. */
#include <string.h>

#include "fuzz.h"
#include "symbols/modules.h"

static void look_up(struct modules *modules, struct module *module, uint64_t address)
{
	const char *name;
	uint64_t start, size;

	if (modules_find(modules, address) &&
	    module_lookup(modules, module, address, &name, &start, &size))
		fuzz_touch(name, strlen(name) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *bases[2];
	struct modules modules;
	struct arena arena = {};
	bool mem = size >= 11 && !memcmp(data, "NUMBER(mem)", 11);

	if (!bases[0]) {
		bases[0] = fuzz_base_kernel("tests/fuzz/modules.kernel");
		bases[1] = fuzz_base_kernel("tests/fuzz/modules_6_4.kernel");
	}
	struct kernel *kernel = fuzz_kernel(bases[mem], data, size);
	if (!kernel)
		return 0;
	fuzz_ok(modules_init(&modules, &kernel->memory, kernel->symbols.types, FUZZ_VA, &arena));
	fuzz_ok(modules_read_unloaded(&modules, FUZZ_VA + 0x1000, &arena));
	if (modules.last_unloaded)
		fuzz_touch(modules.last_unloaded, strlen(modules.last_unloaded) + 1);
	for (size_t i = 0; i < modules.list.count; i++) {
		struct module *module = &modules.list.data[i];
		fuzz_touch(module->name, strlen(module->name) + 1);
		look_up(&modules, module, module->regions[0].start);
		look_up(&modules, module, module->regions[0].start + 0x100);
	}
	fuzz_ok(modules_read_unloaded(&modules, FUZZ_VA + 0x28, &arena));
	modules_deinit(&modules);
	arena_deinit(&arena);
	return 0;
}
