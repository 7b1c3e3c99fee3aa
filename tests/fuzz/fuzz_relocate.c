// SPDX-License-Identifier: GPL-2.0-only
/* A module's debug information, an object file, which gets the addresses of a module of two symbols. */
#include <elf.h>

#include "fuzz.h"
#include "symbols/debug_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char strings[] = "\0first\0second";
	static struct module_symbol symbols[] = { { FUZZ_VA, 1, 0 }, { FUZZ_VA + 0x1000, 7, 0 } };
	const struct module module = {
		.name = "test",
		.symbols_read = true,
		.symbols = symbols,
		.nr_symbols = 2,
		.strings = strings,
		.strings_size = sizeof(strings),
	};
	struct debug_file *file;
	struct build_id id;

	if (!fuzz_ok(debug_file_open(fuzz_file(data, size), -1, EM_X86_64, &file)))
		return 0;
	debug_file_build_id(file, &id);
	fuzz_touch(id.bytes, id.size);
	if (debug_file_is_relocatable(file) && fuzz_ok(debug_file_relocate(file, &module)))
		debug_file_section(file, ".debug_info");
	debug_file_close(file);
	return 0;
}
