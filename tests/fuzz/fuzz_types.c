// SPDX-License-Identifier: GPL-2.0-only
/* BTF: parsing it, and looking up what is in it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "symbols/types.h"

static struct types *parse(const uint8_t *data, size_t size, const struct types *base)
{
	void *copy = malloc(size ? size : 1);
	struct types *ret;

	memcpy(copy, data, size);
	return fuzz_ok(types_parse_module(copy, size, base, &ret)) ? ret : NULL;
}

static void look_up(const struct types *types)
{
	static const char *const names[] = { "s", "t", "u", "e", "f", "task_struct" };
	static const char *const paths[] = { "a", "b", "a.b", "a.a.a", "c|b", "b.c.a|a.c|c" };
	struct member member;
	int64_t value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		types_sizeof(types, names[i]);
		types_enumerator(types, names[i], "A", &value);
		for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
			const struct member_wanted wanted = { names[i], paths[j], &member };
			fuzz_ok(types_resolve(types, &wanted, 1));
		}
	}
}

/* The input is a kernel's BTF, and a module's that goes on from there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct types *types = parse(data, size, NULL);
	struct types *module = types ? parse(data, size, types) : NULL;

	if (types)
		look_up(types);
	if (module)
		look_up(module);
	types_destroy(module);
	types_destroy(types);
	return 0;
}
