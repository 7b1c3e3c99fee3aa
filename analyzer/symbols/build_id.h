/* SPDX-License-Identifier: GPL-2.0-only */
/* Build ids: what tells whether debug information is that of the kernel, or of a module, in the dump. */
#ifndef LOCKDUMP_BUILD_ID_H
#define LOCKDUMP_BUILD_ID_H

#include "symbols/symbols.h"

#define BUILD_ID_MAX 64

struct build_id {
	uint8_t bytes[BUILD_ID_MAX];
	size_t size; /* 0: unknown */
};

bool build_id_equal(const struct build_id *a, const struct build_id *b);

/* In hexadecimal; "" if it is unknown. */
void build_id_text(const struct build_id *id, char ret[2 * BUILD_ID_MAX + 1]);

/* The one among ELF notes; false if there is none. */
bool build_id_of_notes(const void *notes, size_t size, struct build_id *ret);

/* That of the dumped kernel; unknown if the dump, or its vmcoreinfo alone, does not tell. */
void build_id_of_vmcoreinfo(const struct vmcoreinfo *info, struct build_id *ret);
void build_id_of_kernel(const struct symbols *symbols, const struct vmcoreinfo *info,
			struct build_id *ret);
void build_id_of_module(const struct symbols *symbols, const struct module *module,
			struct build_id *ret);

#endif
