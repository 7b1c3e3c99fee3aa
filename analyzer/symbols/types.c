// SPDX-License-Identifier: GPL-2.0-only
/*
 * BTF: Documentation/bpf/btf.rst. A header, then types one behind the other,
 * numbered from 1, then the strings that they name.
 *
 * libbpf's btf__new() is not used on what comes out of a dump: 1.1.2 accepts a
 * struct that contains itself and overflows its stack on it, refuses kinds
 * that are newer than it is, and finds a name by comparing all.
 */
#include "symbols/types.h"

#include <linux/btf.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/btf_mend.h"

#define MAX_DEPTH  32 /* of nested types; the kernel's deepest are below ten */
#define MAX_TYPES  (4u << 20)
/* What the members of nested anonymous structs may cost a search, whatever the BTF says. */
#define MAX_VISITS 100000

struct types {
	uint8_t *data;
	const uint8_t *type_bytes;
	const char *strings;
	uint32_t strings_size;
	uint32_t count; /* of types, void included */
	uint32_t *offsets; /* of each type in type_bytes */
	uint32_t *hash; /* structs, unions and enums by name; 0 is free */
	uint32_t hash_mask;
};

static const struct btf_type *type_at(const struct types *types, uint32_t id)
{
	return (const struct btf_type *)(types->type_bytes + types->offsets[id]);
}

static bool is_compound(const struct btf_type *type)
{
	unsigned int kind = BTF_INFO_KIND(type->info);
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

/* Whether it can be found by its name. */
static bool is_named(const struct btf_type *type)
{
	unsigned int kind = BTF_INFO_KIND(type->info);
	return type->name_off &&
	       (is_compound(type) || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64);
}

/* Strings end with 0 (checked at the start), so an offset within is all that must hold. */
static const char *string_at(const struct types *types, uint32_t offset)
{
	return offset < types->strings_size ? types->strings + offset : "";
}

static uint32_t hash_string(const char *s, size_t len)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)s[i]) * 16777619u;
	return hash;
}

/* Numbers the types; returns how many of them have a name to be found by. */
static struct error *index_types(struct types *types, size_t size, uint32_t *named_ret)
{
	size_t capacity = 0;
	uint32_t named = 0;

	types->count = 1;
	for (size_t at = 0; at < size;) {
		const struct btf_type *type = (const struct btf_type *)(types->type_bytes + at);

		if (size - at < sizeof(*type))
			return error_create(ERROR_CORRUPT, "type %u is cut off", types->count);
		size_t extra = btf_extra_size(type->info);
		if (extra > size - at - sizeof(*type))
			return error_create(ERROR_CORRUPT,
					    "type %u is cut off or of unknown kind %u",
					    types->count, BTF_INFO_KIND(type->info));
		if (types->count >= MAX_TYPES)
			return error_create(ERROR_CORRUPT, "more than %u types", MAX_TYPES);
		if (types->count >= capacity) {
			capacity = capacity ? capacity * 2 : 131072;
			uint32_t *grown = reallocarray(types->offsets, capacity, sizeof(*grown));
			if (!grown)
				return &error_no_memory;
			types->offsets = grown;
		}
		types->offsets[types->count++] = at;
		named += is_named(type);
		at += sizeof(*type) + extra;
	}
	*named_ret = named;
	return NULL;
}

static struct error *build_hash(struct types *types, uint32_t named)
{
	uint32_t slots = 1024;

	while (slots < named * 2)
		slots *= 2;
	types->hash = calloc(slots, sizeof(*types->hash));
	types->hash_mask = slots - 1;
	if (!types->hash)
		return &error_no_memory;
	for (uint32_t id = 1; id < types->count; id++) {
		const struct btf_type *type = type_at(types, id);
		if (!is_named(type))
			continue;
		const char *name = string_at(types, type->name_off);
		uint32_t slot = hash_string(name, strlen(name)), other;
		/* Of equal names the first counts; the others would only make the way to it longer. */
		while ((other = types->hash[slot & types->hash_mask]) &&
		       strcmp(string_at(types, type_at(types, other)->name_off), name))
			slot++;
		if (!other)
			types->hash[slot & types->hash_mask] = id;
	}
	return NULL;
}

static struct error *parse(struct types *types, size_t size)
{
	struct btf_header header;
	uint32_t named = 0;

	if (size < sizeof(header))
		return error_create(ERROR_CORRUPT, "%zu bytes are no BTF", size);
	memcpy(&header, types->data, sizeof(header));
	if (header.magic != BTF_MAGIC || header.version != BTF_VERSION)
		return error_create(ERROR_CORRUPT, "no BTF: magic 0x%x, version %u", header.magic,
				    header.version);
	size_t body = header.hdr_len <= size ? size - header.hdr_len : 0;
	if (header.hdr_len < sizeof(header) || header.type_off > body ||
	    header.type_len > body - header.type_off || header.str_off > body ||
	    header.str_len > body - header.str_off || header.type_off % 4 || header.hdr_len % 4)
		return error_create(ERROR_CORRUPT, "the header's sections leave the data");
	types->type_bytes = types->data + header.hdr_len + header.type_off;
	types->strings = (const char *)types->data + header.hdr_len + header.str_off;
	types->strings_size = header.str_len;
	if (!header.str_len || types->strings[header.str_len - 1])
		return error_create(ERROR_CORRUPT, "the strings do not end");
	struct error *err = index_types(types, header.type_len, &named);
	return err ? err : build_hash(types, named);
}

struct error *types_parse(void *data, size_t size, struct types **ret)
{
	struct types *types = calloc(1, sizeof(*types));

	if (!types) {
		free(data);
		return &error_no_memory;
	}
	types->data = data;
	struct error *err = parse(types, size);
	if (err) {
		types_destroy(types);
		return error_prefix(err, "BTF");
	}
	*ret = types;
	return NULL;
}

void types_destroy(struct types *types)
{
	if (!types)
		return;
	free(types->data);
	free(types->offsets);
	free(types->hash);
	free(types);
}

/* Through typedefs and qualifiers to what they stand for; 0 (void) where that never ends. */
static uint32_t strip(const struct types *types, uint32_t id)
{
	for (int depth = 0; depth < MAX_DEPTH && id && id < types->count; depth++) {
		const struct btf_type *type = type_at(types, id);
		switch (BTF_INFO_KIND(type->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = type->type;
			break;
		default:
			return id;
		}
	}
	return 0;
}

/* Through arrays, of which it takes one element, multiplying up their lengths. */
static uint32_t element(const struct types *types, uint32_t id, uint64_t *count_ret)
{
	*count_ret = 1;
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		id = strip(types, id);
		if (!id || BTF_INFO_KIND(type_at(types, id)->info) != BTF_KIND_ARRAY)
			return id;
		const struct btf_array *array = (const struct btf_array *)(type_at(types, id) + 1);
		*count_ret = (uint32_t)*count_ret * (uint64_t)array->nelems;
		id = array->type;
	}
	return 0;
}

static uint32_t size_of(const struct types *types, uint32_t id)
{
	if (!id)
		return 0;
	const struct btf_type *type = type_at(types, id);
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM64:
		return type->size;
	case BTF_KIND_PTR:
		return 8;
	default:
		return 0;
	}
}

static uint32_t find_type(const struct types *types, const char *name)
{
	for (uint32_t slot = hash_string(name, strlen(name));; slot++) {
		uint32_t id = types->hash[slot & types->hash_mask];
		if (!id || !strcmp(string_at(types, type_at(types, id)->name_off), name))
			return id;
	}
}

struct found {
	uint32_t type; /* stripped of arrays */
	uint64_t bits; /* from the struct's start */
	uint64_t count;
	uint32_t bit_size;
};

/* The member called @name (@len bytes) of struct @id, or of the anonymous ones in it. */
static bool find_member(const struct types *types, uint32_t id, const char *name, size_t len,
			int depth, int *visits, struct found *ret)
{
	const struct btf_type *type = type_at(types, id);
	const struct btf_member *member = (const struct btf_member *)(type + 1);

	if (!is_compound(type) || depth >= MAX_DEPTH)
		return false;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++, member++) {
		const char *its_name = string_at(types, member->name_off);
		bool fields = BTF_INFO_KFLAG(type->info);
		uint32_t bits = fields ? BTF_MEMBER_BIT_OFFSET(member->offset) : member->offset;

		if (--*visits < 0)
			return false;
		if (*its_name) {
			if (strncmp(its_name, name, len) || its_name[len])
				continue;
			ret->type = element(types, member->type, &ret->count);
			ret->bits = bits;
			ret->bit_size = fields ? BTF_MEMBER_BITFIELD_SIZE(member->offset) : 0;
			return ret->type;
		}
		uint32_t inner = strip(types, member->type);
		if (inner && find_member(types, inner, name, len, depth + 1, visits, ret)) {
			ret->bits += bits;
			return true;
		}
	}
	return false;
}

static bool find_path(const struct types *types, const char *type, const char *path, size_t size,
		      struct member *ret)
{
	struct found found = { .type = find_type(types, type) };
	uint64_t bits = 0;
	int visits = MAX_VISITS;

	if (!found.type)
		return false;
	for (const char *end = path + size; path < end;) {
		const char *dot = memchr(path, '.', end - path);
		size_t len = (dot ? dot : end) - path;
		if (!find_member(types, found.type, path, len, 0, &visits, &found))
			return false;
		bits += found.bits;
		path += len + 1;
	}
	*ret = (struct member){ .size = size_of(types, found.type), .count = found.count };
	if (found.bit_size) {
		/* The aligned storage unit of the bit field's declared type, as compilers have it. */
		uint32_t unit = ret->size * 8;
		if (!unit || found.bit_size > unit || bits % unit > unit - found.bit_size)
			return false; /* packed, over the end of its unit: nothing reads such a one */
		ret->bit_size = found.bit_size;
		ret->bit_offset = bits % unit;
		bits -= ret->bit_offset;
	}
	ret->offset = bits / 8;
	return ret->size && bits / 8 <= UINT32_MAX;
}

bool types_member(const struct types *types, const char *type, const char *path, struct member *ret)
{
	for (;;) {
		size_t len = strcspn(path, "|");
		if (types && find_path(types, type, path, len, ret))
			return true;
		if (!path[len])
			break;
		path += len + 1;
	}
	memset(ret, 0, sizeof(*ret));
	return false;
}

uint32_t types_sizeof(const struct types *types, const char *type)
{
	return types ? size_of(types, find_type(types, type)) : 0;
}

bool types_enumerator(const struct types *types, const char *type, const char *name, int64_t *ret)
{
	uint32_t id = types ? find_type(types, type) : 0;

	if (!id)
		return false;
	const struct btf_type *header = type_at(types, id);
	const struct btf_enum *narrow = (const struct btf_enum *)(header + 1);
	const struct btf_enum64 *wide = (const struct btf_enum64 *)(header + 1);
	bool is_wide = BTF_INFO_KIND(header->info) == BTF_KIND_ENUM64;
	if (!is_wide && BTF_INFO_KIND(header->info) != BTF_KIND_ENUM)
		return false;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(header->info); i++) {
		if (strcmp(string_at(types, is_wide ? wide[i].name_off : narrow[i].name_off), name))
			continue;
		*ret = is_wide ? (int64_t)((uint64_t)wide[i].val_hi32 << 32 | wide[i].val_lo32)
			       : narrow[i].val;
		return true;
	}
	return false;
}

struct error *types_resolve(const struct types *types, const struct member_wanted *wanted,
			    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!types_member(types, wanted[i].type, wanted[i].path, wanted[i].ret) &&
		    !wanted[i].optional)
			return error_create(ERROR_NOT_FOUND, "BTF: struct %s has no member %s",
					    wanted[i].type, wanted[i].path);
	}
	return NULL;
}

struct error *member_read(struct memory *memory, uint64_t object, const struct member *member,
			  uint64_t *ret)
{
	*ret = 0;
	if (!member->size || member->size > sizeof(*ret))
		return error_create(ERROR_NOT_FOUND, "0x%llx: a member of %u bytes is no number",
				    (unsigned long long)object, member->size);
	/* Little-endian: the low bytes come first. */
	struct error *err = memory_read(memory, object + member->offset, ret, member->size);
	if (!err && member->bit_size && member->bit_size < 64)
		*ret = *ret >> member->bit_offset & ((1ull << member->bit_size) - 1);
	return err;
}
