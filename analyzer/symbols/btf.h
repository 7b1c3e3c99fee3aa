/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BTF as types.c has checked it: Documentation/bpf/btf.rst. A header, then types one behind the other, numbered from 1,
 * then the strings that they name. Split BTF, a module's, goes on with the numbers and the strings of its base.
 */
#ifndef LOCKDUMP_BTF_H
#define LOCKDUMP_BTF_H

#include <linux/btf.h>

#include "symbols/types.h"

#define BTF_MAX_DEPTH 32 /* of nested types; the kernel's deepest are below ten */
#define BTF_MAX_TYPES (1u << 20) /* the kernel's own limit: BTF_MAX_TYPE of linux/btf.h */

struct types {
	const struct types *base; /* NULL: it stands alone */
	uint8_t *data;
	const uint8_t *type_bytes;
	const char *strings;
	uint32_t first_string; /* the offset of strings[0] for those who name it */
	uint32_t strings_size;
	uint32_t first; /* the number of the first type */
	uint32_t count; /* the number behind the last type; 0 is void */
	uint32_t *offsets; /* of each type in type_bytes, from the first on */
	uint32_t *hash; /* structs, unions and enums by name; 0 is free */
	uint32_t hash_mask;
	uint64_t
		probes; /* of the hash, that may be wasted yet: hostile names all come to one place */
	/* What a type of each kind has behind its struct btf_type; NULL: not told. */
	const uint8_t *layouts;
	uint32_t nr_layouts;
};

/* 24 bits and 7 since 7.1, 16 and 5 before; the bits between were 0. The headers to build with may be older. */
static inline uint32_t btf_vlen(const struct btf_type *type)
{
	return type->info & 0xffffff;
}

static inline uint32_t btf_kind(const struct btf_type *type)
{
	return type->info >> 24 & 0x7f;
}

static inline const struct btf_type *btf_type(const struct types *types, uint32_t id)
{
	while (id < types->first)
		types = types->base;
	return (const struct btf_type *)(types->type_bytes + types->offsets[id - types->first]);
}

/* Strings end with 0, so an offset within is all that must hold. */
static inline const char *btf_string(const struct types *types, uint32_t offset)
{
	while (offset < types->first_string)
		types = types->base;
	offset -= types->first_string;
	return offset < types->strings_size ? types->strings + offset : "";
}

static inline bool btf_is_compound(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

static inline bool btf_is_enum(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_ENUM || btf_kind(type) == BTF_KIND_ENUM64;
}

/* Bytes behind struct btf_type, by kind; SIZE_MAX for a kind that is not known here. */
size_t btf_extra_size(const struct btf_type *type);

/* Bytes of an object of the type; 0 where the type itself does not say. */
uint32_t btf_size(const struct btf_type *type);

/* Bytes of what is of that type, of all elements if it is an array; 0 if that is not known. */
uint64_t btf_size_of(const struct types *types, uint32_t id);

/* Makes type @id one that is found by the name that it has now; false if that would take too long. */
bool btf_name(struct types *types, uint32_t id);

/* The number of the struct, union or enum of that name, of the types or of their base; 0 if there is none. */
uint32_t btf_find(const struct types *types, const char *name);

#endif
