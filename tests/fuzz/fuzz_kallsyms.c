// SPDX-License-Identifier: GPL-2.0-only
/* The core kernel's symbol table. The input's vmcoreinfo says where its parts are. */
#include <string.h>

#include "fuzz.h"
#include "symbols/kallsyms.h"

#define MAX_NAMES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct kallsyms_wanted wanted[] = { { "_stext" }, { "modules" }, { "_etext" } };
	struct made_memory made;
	struct kallsyms kallsyms;
	uint64_t start, bytes;
	uint32_t index;

	if (!base)
		base = fuzz_base_kernel(NULL);
	if (!fuzz_memory(base, data, size, &made))
		return 0;
	if (fuzz_ok(kallsyms_init(&kallsyms, &made.memory, &made.info))) {
		char name[KSYM_NAME_SIZE];
		kallsyms_find(&kallsyms, wanted, sizeof(wanted) / sizeof(wanted[0]));
		for (uint32_t i = 0; i < kallsyms.count && i < MAX_NAMES; i++) {
			kallsyms_name(&kallsyms, i, name);
			fuzz_touch(name, strlen(name));
		}
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (kallsyms_lookup(&kallsyms, wanted[i].address + i, &index, &start,
					    &bytes))
				kallsyms_name(&kallsyms, index, name);
		kallsyms_lookup(&kallsyms, 0, &index, &start, &bytes);
		kallsyms_lookup(&kallsyms, UINT64_MAX, &index, &start, &bytes);
		kallsyms_deinit(&kallsyms);
	}
	made_memory_close(&made);
	return 0;
}
