// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads BTF: what is in it is checked here, and nowhere after.
 *
 * libbpf's btf__new() is not used on what comes out of a dump: 1.1.2 accepts a
 * struct that contains itself and overflows its stack on it, refuses kinds
 * that are newer than it is, and finds a name by comparing all.
 */
#include <string.h>

#include "base/hash.h"
#include "symbols/btf.h"

#define MAX_NAME 512 /* KSYM_NAME_LEN */

/* Names that are looked at to find a place for one: it takes two, unless they were chosen to be in each other's way. */
#define MAX_PROBES 64

/* What follows struct btf_header of linux/btf.h since 7.1. */
struct layout_section {
	uint32_t offset;
	uint32_t size;
};

/* struct btf_layout: one for each kind, from 0 on. */
struct kind_layout {
	uint8_t fixed; /* bytes */
	uint8_t element; /* bytes of each of vlen elements */
	uint16_t flags;
};

static size_t told_size(const struct types *types, const struct btf_type *type)
{
	struct kind_layout layout;

	if (!btf_kind(type) || btf_kind(type) >= types->nr_layouts)
		return SIZE_MAX;
	memcpy(&layout, types->layouts + btf_kind(type) * sizeof(layout), sizeof(layout));
	size_t size = layout.fixed + (size_t)layout.element * btf_vlen(type);
	return size % 4 ? SIZE_MAX : size;
}

size_t btf_extra_size(const struct btf_type *type)
{
	size_t vlen = btf_vlen(type);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return SIZE_MAX;
	}
}

uint32_t btf_size(const struct btf_type *type)
{
	switch (btf_kind(type)) {
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

/* Whether it can be found by its name. */
static bool is_named(const struct btf_type *type)
{
	return type->name_off && (btf_is_compound(type) || btf_is_enum(type));
}

static uint32_t hash_string(const char *s)
{
	return hash_add(HASH_START, s, strnlen(s, MAX_NAME));
}

/* Numbers the types; returns how many of them have a name to be found by. */
static struct error *index_types(struct types *types, size_t size, uint32_t *named_ret)
{
	size_t capacity = 0;
	uint32_t named = 0;

	/* Those that stand alone have a place for void, which nobody looks at. */
	types->count = types->base ? types->first : 1;
	for (size_t at = 0; at < size;) {
		const struct btf_type *type = (const struct btf_type *)(types->type_bytes + at);

		if (size - at < sizeof(*type))
			return error_create(ERROR_CORRUPT, "type %u is cut off", types->count);
		size_t extra = btf_extra_size(type);
		if (extra == SIZE_MAX)
			extra = told_size(types, type);
		if (extra > size - at - sizeof(*type))
			return error_create(ERROR_CORRUPT,
					    "type %u is cut off or of unknown kind %u",
					    types->count, btf_kind(type));
		if (types->count >= BTF_MAX_TYPES)
			return error_create(ERROR_CORRUPT, "more than %u types", BTF_MAX_TYPES);
		if (types->count - types->first >= capacity) {
			capacity = capacity ? capacity * 2 : types->base ? 1024 : 131072;
			uint32_t *grown = reallocarray(types->offsets, capacity, sizeof(*grown));
			if (!grown)
				return &error_no_memory;
			types->offsets = grown;
		}
		types->offsets[types->count++ - types->first] = at;
		named += is_named(type);
		at += sizeof(*type) + extra;
	}
	*named_ret = named;
	return NULL;
}

bool btf_name(struct types *types, uint32_t id)
{
	const char *name = btf_string(types, btf_type(types, id)->name_off);
	uint32_t slot = hash_string(name), other;

	/* Of equal names the first counts; the others would only make the way to it longer. */
	while ((other = types->hash[slot & types->hash_mask])) {
		if (!strncmp(btf_string(types, btf_type(types, other)->name_off), name, MAX_NAME))
			return true;
		if (!types->probes)
			return false;
		types->probes--;
		slot++;
	}
	types->hash[slot & types->hash_mask] = id;
	return true;
}

static struct error *build_hash(struct types *types, uint32_t named)
{
	uint32_t slots = 256;

	while (slots < named * 2)
		slots *= 2;
	types->hash = calloc(slots, sizeof(*types->hash));
	types->hash_mask = slots - 1;
	if (!types->hash)
		return &error_no_memory;
	types->probes = 1024 + (uint64_t)named * MAX_PROBES;
	for (uint32_t id = types->base ? types->first : 1; id < types->count; id++) {
		if (is_named(btf_type(types, id)) && !btf_name(types, id))
			return error_create(ERROR_CORRUPT, "names that are no names of types");
	}
	return NULL;
}

/* The section of kinds' layouts, in a header that has it; one that leaves the data tells nothing. */
static void find_layouts(struct types *types, const struct btf_header *header, size_t body)
{
	struct layout_section section;

	if (header->hdr_len < sizeof(*header) + sizeof(section))
		return;
	memcpy(&section, types->data + sizeof(*header), sizeof(section));
	if (section.offset > body || section.size > body - section.offset)
		return;
	types->layouts = types->data + header->hdr_len + section.offset;
	types->nr_layouts = section.size / sizeof(struct kind_layout);
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
	size_t body = size - header.hdr_len;
	if (header.hdr_len < sizeof(header) || header.hdr_len > size || header.type_off > body ||
	    header.type_len > body - header.type_off || header.str_off > body ||
	    header.str_len > body - header.str_off || header.type_off % 4 || header.hdr_len % 4)
		return error_create(ERROR_CORRUPT, "the header's sections leave the data");
	types->type_bytes = types->data + header.hdr_len + header.type_off;
	types->strings = (const char *)types->data + header.hdr_len + header.str_off;
	types->strings_size = header.str_len;
	find_layouts(types, &header, body);
	if (types->base && !header.str_len && !header.type_len)
		return error_create(ERROR_NOT_FOUND, "it has no types of its own");
	if (!header.str_len || types->strings[header.str_len - 1])
		return error_create(ERROR_CORRUPT, "the strings do not end");
	struct error *err = index_types(types, header.type_len, &named);
	return err ? err : build_hash(types, named);
}

struct error *types_parse_module(void *data, size_t size, const struct types *base,
				 struct types **ret)
{
	struct types *types = calloc(1, sizeof(*types));

	if (!types) {
		free(data);
		return &error_no_memory;
	}
	types->data = data;
	if (base) {
		types->base = base;
		types->first = base->count;
		types->first_string = base->first_string + base->strings_size;
	}
	struct error *err = parse(types, size);
	if (err) {
		types_destroy(types);
		return error_prefix(err, "BTF");
	}
	*ret = types;
	return NULL;
}

struct error *types_parse(void *data, size_t size, struct types **ret)
{
	return types_parse_module(data, size, NULL, ret);
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

static uint32_t find_own(const struct types *types, const char *name, uint32_t hash)
{
	for (uint32_t slot = hash;; slot++) {
		uint32_t id = types->hash[slot & types->hash_mask];
		if (!id || !strcmp(btf_string(types, btf_type(types, id)->name_off), name))
			return id;
	}
}

uint32_t btf_find(const struct types *types, const char *name)
{
	uint32_t hash = hash_string(name), id = 0;

	for (; types && !id; types = types->base)
		id = find_own(types, name, hash);
	return id;
}
