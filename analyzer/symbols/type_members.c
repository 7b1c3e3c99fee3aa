// SPDX-License-Identifier: GPL-2.0-only
/* What the types say: where members are, what enumerators mean. */
#include <string.h>

#include "symbols/btf.h"

/* What the members of nested anonymous structs may cost a search, whatever the BTF says. */
#define MAX_VISITS 10000

/* Through typedefs and qualifiers to what they stand for; 0 (void) where that never ends. */
static uint32_t strip(const struct types *types, uint32_t id)
{
	for (int depth = 0; depth < BTF_MAX_DEPTH && id && id < types->count; depth++) {
		const struct btf_type *type = btf_type(types, id);
		switch (btf_kind(type)) {
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
	for (int depth = 0; depth < BTF_MAX_DEPTH; depth++) {
		id = strip(types, id);
		if (!id || btf_kind(btf_type(types, id)) != BTF_KIND_ARRAY)
			return id;
		const struct btf_array *array = (const struct btf_array *)(btf_type(types, id) + 1);
		*count_ret = (uint32_t)*count_ret * (uint64_t)array->nelems;
		id = array->type;
	}
	return 0;
}

static uint32_t size_of(const struct types *types, uint32_t id)
{
	return id ? btf_size(btf_type(types, id)) : 0;
}

uint64_t btf_size_of(const struct types *types, uint32_t id)
{
	uint64_t count;

	id = element(types, id, &count);
	return size_of(types, id) * count;
}

struct found {
	uint32_t type; /* stripped of arrays */
	uint64_t bits; /* from the struct's start */
	uint64_t count;
	uint64_t room; /* bytes up to the next member */
	uint32_t bit_size;
};

/* Types that btf_mend.c has put where they are lost: nothing else is without a name and a size. */
static bool is_lost(const struct btf_type *type)
{
	return !type->name_off && !type->size && btf_kind(type) != BTF_KIND_PTR;
}

static uint64_t room_of(const struct btf_type *type, uint32_t index)
{
	const struct btf_member *members = (const struct btf_member *)(type + 1);
	uint64_t at = members[index].offset, end = (uint64_t)type->size * 8;

	if (BTF_INFO_KFLAG(type->info))
		at = BTF_MEMBER_BIT_OFFSET(at);
	if (btf_kind(type) == BTF_KIND_STRUCT && index + 1 < btf_vlen(type))
		end = BTF_INFO_KFLAG(type->info) ? BTF_MEMBER_BIT_OFFSET(members[index + 1].offset)
						 : members[index + 1].offset;
	return end > at ? (end - at) / 8 : 0;
}

/* The member called @name (@len bytes) of struct @id, or of the anonymous ones in it. */
static bool find_member(const struct types *types, uint32_t id, const char *name, size_t len,
			int depth, int *visits, struct found *ret)
{
	const struct btf_type *type = btf_type(types, id);
	const struct btf_member *member = (const struct btf_member *)(type + 1);

	if (!btf_is_compound(type) || depth >= BTF_MAX_DEPTH)
		return false;
	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *its_name = btf_string(types, member->name_off);
		bool fields = BTF_INFO_KFLAG(type->info);
		uint32_t bits = fields ? BTF_MEMBER_BIT_OFFSET(member->offset) : member->offset;

		if (--*visits < 0)
			return false;
		if (*its_name) {
			if (strncmp(its_name, name, len) || its_name[len])
				continue;
			ret->type = element(types, member->type, &ret->count);
			ret->bits = bits;
			ret->room = room_of(type, i);
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

/* Follows @size bytes of @path from the struct @id on; the bits are from its start. */
static bool follow(const struct types *types, uint32_t id, const char *path, size_t size,
		   struct found *ret)
{
	uint64_t bits = 0;
	int visits = MAX_VISITS;

	*ret = (struct found){ .type = id };
	if (!ret->type)
		return false;
	for (const char *end = path + size; path < end;) {
		const char *dot = memchr(path, '.', end - path);
		size_t len = (dot ? dot : end) - path;
		if (!find_member(types, ret->type, path, len, 0, &visits, ret))
			return false;
		bits += ret->bits;
		path += len + 1;
	}
	ret->bits = bits;
	return true;
}

static bool find_path(const struct types *types, uint32_t id, const char *path, size_t size,
		      struct member *ret)
{
	struct found found;

	if (!follow(types, id, path, size, &found))
		return false;
	uint64_t bits = found.bits;
	*ret = (struct member){ .size = size_of(types, found.type), .count = found.count };
	if (!ret->size && found.count && is_lost(btf_type(types, found.type)))
		ret->size = found.room / found.count;
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
	uint32_t id = btf_find(types, type);

	for (;;) {
		size_t len = strcspn(path, "|");
		if (id && find_path(types, id, path, len, ret))
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
	return types ? size_of(types, btf_find(types, type)) : 0;
}

bool types_enumerator(const struct types *types, const char *type, const char *name, int64_t *ret)
{
	uint32_t id = btf_find(types, type);
	const struct btf_type *found = id ? btf_type(types, id) : NULL;

	if (!found || !btf_is_enum(found))
		return false;
	const struct btf_enum *narrow = (const struct btf_enum *)(found + 1);
	const struct btf_enum64 *wide = (const struct btf_enum64 *)(found + 1);
	for (uint32_t i = 0; i < btf_vlen(found); i++) {
		bool is_narrow = btf_kind(found) == BTF_KIND_ENUM;
		uint32_t its_name = is_narrow ? narrow[i].name_off : wide[i].name_off;
		if (strcmp(btf_string(types, its_name), name))
			continue;
		*ret = is_narrow ? narrow[i].val
				 : (int64_t)((uint64_t)wide[i].val_hi32 << 32 | wide[i].val_lo32);
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
