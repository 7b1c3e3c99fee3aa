// SPDX-License-Identifier: GPL-2.0-only
/* A file of symbols: /proc/kallsyms, a System.map or a vmlinux, whose types are read too. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "symbols/symbol_file.h"

#define MAX_NAMES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
		"OSRELEASE=5.10.0\nBUILD-ID=00010203\nSYMBOL(_stext)=ffffffff91000000\n"
		"SYMBOL(init_uts_ns)=ffffffff92000000\nKERNELOFFSET=10000000\n";
	static const struct vmcoreinfo info = { text, sizeof(text) - 1 };
	const char *path = fuzz_file(data, size);
	struct kallsyms_wanted wanted = { "init_uts_ns" };
	struct kallsyms kallsyms;
	uint64_t start, bytes;
	size_t btf_size;
	uint32_t index;
	void *btf;

	if (fuzz_ok(symbol_file_load(path, &info, &kallsyms))) {
		char name[KSYM_NAME_SIZE];
		for (uint32_t i = 0; i < kallsyms.count && i < MAX_NAMES; i++) {
			kallsyms_name(&kallsyms, i, name);
			fuzz_touch(name, strlen(name));
		}
		kallsyms_find(&kallsyms, &wanted, 1);
		kallsyms_lookup(&kallsyms, wanted.address + 1, &index, &start, &bytes);
		kallsyms_deinit(&kallsyms);
	}
	if (fuzz_ok(symbol_file_btf(path, &info, &btf, &btf_size))) {
		fuzz_touch(btf, btf_size);
		free(btf);
	}
	return 0;
}
