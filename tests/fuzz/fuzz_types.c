// SPDX-License-Identifier: GPL-2.0-only
/* BTF: parsing it, and looking up what is in it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "symbols/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "s", "t", "u", "e", "f", "task_struct" };
	static const char *const paths[] = { "a", "b", "a.b", "a.a.a", "c|b", "b.c.a|a.c|c" };
	void *copy = malloc(size ? size : 1);
	struct types *types;
	struct member member;
	int64_t value;

	memcpy(copy, data, size);
	if (!fuzz_ok(types_parse(copy, size, &types)))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		types_sizeof(types, names[i]);
		types_enumerator(types, names[i], "A", &value);
		for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
			const struct member_wanted wanted = { names[i], paths[j], &member };
			fuzz_ok(types_resolve(types, &wanted, 1));
		}
	}
	types_destroy(types);
	return 0;
}
