/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, from its BTF: where a member stands in a struct. */
#ifndef LOCKDUMP_TYPES_H
#define LOCKDUMP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dump/memory.h"

struct types;

/* Adopts @data, a whole BTF blob (malloc'ed; freed on failure too). */
struct error *types_parse(void *data, size_t size, struct types **ret);
void types_destroy(struct types *types);

/* The same for a module's, which goes on where @base ends. What is asked of it is asked of @base too. */
struct error *types_parse_module(void *data, size_t size, const struct types *base,
				 struct types **ret);

/* Where @types is NULL below, nothing is found: a kernel without BTF. */

/* A member of a struct or union. With size 0 the kernel has no such member. */
struct member {
	uint32_t offset; /* bytes */
	uint32_t size; /* bytes; of an array, of one element */
	uint32_t count; /* of an array, its elements; else 1 */
	uint8_t bit_offset; /* of a bit field, in the bytes at offset */
	uint8_t bit_size; /* 0: no bit field */
};

/*
 * Finds a member. @path may go through structs and arrays (of which it takes
 * the first element): "thread.sp". Anonymous structs and unions need not be
 * named. False if there is none.
 */
bool types_member(const struct types *types, const char *type, const char *path,
		  struct member *ret);

/* Size of a struct or union in bytes, 0 if there is none of that name. */
uint32_t types_sizeof(const struct types *types, const char *type);

/* Value of the enumerator @name of the enum @type. */
bool types_enumerator(const struct types *types, const char *type, const char *name, int64_t *ret);

/* A member that is looked for; the first path of several, split by '|', that the kernel has. */
struct member_wanted {
	const char *type;
	const char *path;
	struct member *ret;
	bool optional; /* absent on some kernels: no error */
};

struct error *types_resolve(const struct types *types, const struct member_wanted *wanted,
			    size_t count);

/* Reads a member of 1, 2, 4 or 8 bytes, or a bit field, of the object at @object; not sign-extended. */
struct error *member_read(struct memory *memory, uint64_t object, const struct member *member,
			  uint64_t *ret);

#endif
